"""Which lane may send how much now: alarms, then live, then the backlog in what is left. Sans-io.

One token bucket and one window for all lanes:

- *alarm* waits for nothing: it has ``ALARM_SLOTS`` of its own beside the window, and goes on debt of the bucket.
- *live* goes while there is anything in the bucket and room in the window; one slot is never taken by it.
- *backlog* never takes the last quarter of the window nor of its bytes, keeps to its share of the rate, leaves the rest
  of a burst in the bucket, and keeps to the pace that the receipts allow (``pace_policy``). It gets its floor share
  even while live takes all, by going first once it has saved up for it.

When connections are cut one after the other while batches are on them, one of these may be the cause, and sending all
of them again on the next connection would go on for ever. Then the lanes are *careful*: one batch at a time, until a
connection holds or the one is found on which they are cut.

The caller asks the lanes in the order of ``order()`` and reports what it sent.
"""

from dataclasses import dataclass

from firmware_configs.device import Uplink as UplinkSettings
from gateway.outbox.models import Lane, StoredBatch
from gateway.uplink.bucket_policy import TokenBucket
from gateway.uplink.pace_policy import Pace
from gateway.uplink.rates_policy import Rate
from gateway.uplink.window import MAX_WINDOW_BYTES, Flight, Window

ALARM_SLOTS = 4
"""Batches of alarms beside the window: alarms are rare, and a window that is full of live must not hold them up."""
BACKLOG_SHARE_OF_WINDOW = 0.75
CAREFUL_AFTER = 3
"""Connections in a row that were cut early with batches on them; a link that flaps does that too, and loses little by
sending one batch at a time."""
CALM_S = 10.0
"""A connection that has held for so long is not being cut by what is sent on it."""
FLOOR_DEBT_BYTES = 256 * 1024
"""One largest batch: what the backlog got beyond its floor is forgotten beyond this, or a good hour would cost it the
floor of the next one."""


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """One lane, since the start of the process and now.

    Attributes:
        lane: which.
        batches: batches sent, resends too.
        size_bytes: their bytes.
        answered_records: numbers of streams settled by the cloud.
        in_flight: batches without an answer, stragglers not counted.
        oldest_s: time since the first of them was first sent, s; 0 if none.
        bytes_per_s: sent, over the last half minute.
        records_per_s: settled, over the last half minute.
        is_paused: the broker asked for a rest.
    """

    lane: Lane
    batches: int
    size_bytes: int
    answered_records: int
    in_flight: int
    oldest_s: float
    bytes_per_s: float
    records_per_s: float
    is_paused: bool


class _Lane:
    def __init__(self) -> None:
        self.batches = 0
        self.size_bytes = 0
        self.answered_records = 0
        self.sent_rate = Rate()
        self.answered_rate = Rate()
        self.paused_until = 0.0


class Lanes:
    """See the module.

    Args:
        settings: window, rate, shares, goal.
        window: the flights; the caller reports them through this class.
    """

    def __init__(self, settings: UplinkSettings, window: Window) -> None:
        self._window = window
        self._limit = settings.window_batches
        self._backlog_limit = max(1, int(settings.window_batches * BACKLOG_SHARE_OF_WINDOW))
        rate, burst = settings.link_bytes_per_s, float(settings.burst_bytes)
        self._bucket = TokenBucket(rate, burst)
        self._share = TokenBucket(rate and rate * settings.backlog_share, burst * settings.backlog_share)
        self._floor = TokenBucket(rate and rate * settings.backlog_floor_share, burst, FLOOR_DEBT_BYTES)
        self._reserve_bytes = burst * (1 - settings.backlog_share)
        self._pace = Pace(settings.live_goal_s, self._backlog_limit)
        self._lanes = {lane: _Lane() for lane in Lane}
        self._has_begun = False
        self._connected_at = 0.0
        self._cuts = 0

    @property
    def pace(self) -> float:
        """How many batches of the backlog may be in flight."""
        return self._pace.window

    def reconnected(self, now: float) -> None:
        """Begin with a small backlog on a new connection."""
        self._window.reconnected(now)
        self._pace.restart()
        self._connected_at = now
        if not self._has_begun:
            self._floor.empty(now)
            self._has_begun = True

    def lost(self, now: float) -> Flight | None:
        """Note the end of a connection; returns the batch that is a straggler from now on, None if there is none."""
        is_cut = now - self._connected_at < CALM_S and bool(self._window.on_wire())
        was_careful = self._is_careful(now)
        self._cuts = self._cuts + 1 if is_cut else 0
        return self._window.lost_alone() if was_careful and is_cut else None

    def order(self, now: float) -> tuple[Lane, ...]:
        """Return the lanes in the order in which they are to be asked."""
        if not self._floor.is_unlimited and self._floor.left(now) > 0:
            return Lane.ALARM, Lane.BACKLOG, Lane.LIVE
        return tuple(Lane)

    def room(self, lane: Lane, now: float) -> tuple[int, int]:
        """Return how many batches and bytes the lane may send now; (0, 0) if none.

        Args:
            lane: which.
            now: monotonic s.
        """
        if now < self._lanes[lane].paused_until:
            return 0, 0
        if self._is_careful(now):
            return (1, 1) if not self._window.on_wire() and not self._window.due(now) else (0, 0)
        left_bytes = MAX_WINDOW_BYTES - self._window.size_bytes()
        if lane is Lane.ALARM:
            count, room = ALARM_SLOTS - self._window.in_flight(lane), max(left_bytes, 1)
        elif lane is Lane.LIVE:
            count, room = self._live_room(left_bytes, now)
        else:
            count, room = self._backlog_room(left_bytes, now)
        return (count, room) if count > 0 and room > 0 else (0, 0)

    def may_resend(self, batch_id: int, now: float) -> bool:
        """Tell whether a batch in flight may be sent again now: also a resend is charged to the bucket."""
        flight = self._window.flight(batch_id)
        if self._is_careful(now) and (self._window.on_wire() or flight is None or flight.is_straggler):
            return False
        if flight is None or flight.lane is Lane.ALARM:
            return True
        return self._bucket.left(now) > 0 and now >= self._lanes[flight.lane].paused_until

    def wake_at(self, now: float) -> float:
        """Return when time alone may give room to a lane that has none; infinite where only an answer does."""
        times = [state.paused_until for state in self._lanes.values()]
        if self._is_careful(now):
            times.append(self._connected_at + CALM_S)
        times += [self._pace.rests_until(now), self._bucket.above_at(0, now), self._share.above_at(0, now)]
        times += [self._bucket.above_at(self._reserve_bytes, now)]
        return min((moment for moment in times if moment > now), default=float("inf"))

    def sent(self, batch: StoredBatch, now: float) -> bool:
        """Note that a batch was sent (again); True if it is a straggler from now on."""
        size = len(batch.data)
        flight = self._window.flight(batch.batch_id)
        lane = flight.lane if flight is not None else batch.lane
        self._bucket.take(size, now)
        if lane is Lane.BACKLOG:
            self._share.take(size, now)
            self._floor.take(size, now)
            self._pace.sent(now)
        state = self._lanes[lane]
        state.batches += 1
        state.size_bytes += size
        state.sent_rate.add(size, now)
        return self._window.sent(batch, now)

    def timed_out(self, batch_id: int, now: float) -> None:
        """Note that an answer is missing; call it before the batch is sent again."""
        flight = self._window.flight(batch_id)
        # what a connection took with it says nothing of the next one
        if flight is not None and flight.is_on_wire and not flight.is_straggler and flight.sends == 1:
            is_backlog = flight.lane is Lane.BACKLOG
            self._pace.missed(now - flight.sent_at, now, is_backlog=is_backlog, is_overtaken=flight.answers > 0)

    def answered(self, batch_id: int, now: float) -> Flight | None:
        """Note that the cloud has settled a batch; returns its flight."""
        was_full = self._pace.allows(self._window.in_flight(Lane.BACKLOG), now) == 0
        flight = self._window.answered(batch_id)
        if flight is None:
            return None
        state = self._lanes[flight.lane]
        state.answered_records += flight.records
        state.answered_rate.add(flight.records, now)
        is_backlog = flight.lane is Lane.BACKLOG
        self._pace.heard(now - flight.first_sent_at, now, is_backlog=is_backlog)
        if flight.sends == 1:
            self._pace.answered(now - flight.sent_at, now, is_backlog=is_backlog, was_full=was_full)
        return flight

    def pause(self, lanes: frozenset[Lane], until: float, now: float) -> None:
        """Let lanes rest, as the broker asks, and the backlog go slower after it."""
        for lane in lanes:
            self._lanes[lane].paused_until = max(self._lanes[lane].paused_until, until)
        self._pace.congested(now)

    def resume(self) -> None:
        """End all rests: another broker has not asked for them."""
        for state in self._lanes.values():
            state.paused_until = 0.0

    def figures(self, now: float) -> list[LaneFigures]:
        """Return the figures of all lanes."""
        found = []
        for lane, state in self._lanes.items():
            flights = self._window.flights(lane)
            oldest_s = now - min((item.first_sent_at for item in flights), default=now)
            found.append(
                LaneFigures(
                    lane, state.batches, state.size_bytes, state.answered_records, len(flights), oldest_s,
                    state.sent_rate.per_s(now), state.answered_rate.per_s(now), now < state.paused_until,
                )
            )  # fmt: skip
        return found

    def _is_careful(self, now: float) -> bool:
        return self._cuts >= CAREFUL_AFTER and now - self._connected_at < CALM_S

    def _live_room(self, left_bytes: int, now: float) -> tuple[int, int]:
        backlog = self._window.in_flight(Lane.BACKLOG)
        count = self._limit - max(1, backlog) - self._window.in_flight(Lane.LIVE)
        return count, min(left_bytes, _whole(self._bucket.left(now)))

    def _backlog_room(self, left_bytes: int, now: float) -> tuple[int, int]:
        backlog, live = self._window.in_flight(Lane.BACKLOG), self._window.in_flight(Lane.LIVE)
        count = min(self._pace.allows(backlog, now), self._backlog_limit - backlog, self._limit - backlog - live)
        left_bytes -= int(MAX_WINDOW_BYTES * (1 - BACKLOG_SHARE_OF_WINDOW))
        tokens = self._bucket.left(now)
        if not self._floor.is_unlimited and self._floor.left(now) > 0:
            count = max(count, int(backlog == 0 and live < self._limit))
            return count, min(left_bytes, _whole(tokens), _whole(self._floor.left(now)))
        return count, min(left_bytes, _whole(tokens - self._reserve_bytes), _whole(self._share.left(now)))


def _whole(tokens: float) -> int:
    return MAX_WINDOW_BYTES if tokens >= MAX_WINDOW_BYTES else int(tokens) if tokens >= 1 else 0
