"""A gateway's lanes over a simulated link, in virtual time: one wire, first in, first out, and a cloud at its end.

The real ``Lanes`` and ``Window`` decide; what they let through waits for the wire, travels, is committed and answered.
A live batch is made at each quarter of a second; the backlog lies there from the beginning. The cloud may be away for a
while, in one of three ways (``Away``); then live that could not be sent for ten seconds becomes backlog, as on disk.
"""

import heapq
from dataclasses import dataclass, field
from enum import StrEnum

from firmware_configs.device import Uplink as UplinkSettings
from gateway.outbox.lanes import LIVE_AGE_S
from gateway.outbox.models import Lane, StoredBatch
from gateway.uplink.lanes_policy import Lanes
from gateway.uplink.window import Window
from tests.bench.figures import percentile
from tests.support.uplink_doubles import stored

LIVE_EVERY_S = 0.25
STEP_S = 0.02


class Away(StrEnum):
    """What a silence is."""

    STOPPED = "stopped"
    """The cloud stands still; what came meanwhile is answered when it goes on."""
    KILLED = "killed"
    """What comes meanwhile is lost; the connection to the broker holds."""
    CUT = "cut"
    """The connection is gone, with all that was on it."""


@dataclass(frozen=True)
class Silence:
    """From when until when the cloud is away, s."""

    begins_s: float
    ends_s: float
    away: Away


@dataclass
class SimulatedLink:
    """See the module.

    Attributes:
        bytes_per_s: of the wire.
        delay_s: there and back, with the commit in the cloud.
        live_bytes: of a live batch.
        backlog_bytes: of a batch of the backlog.
        backlog_batches: at the beginning.
        cloud_s: that the cloud works on one batch, one after the other.
        silences: of the cloud, in order.
    """

    bytes_per_s: float
    settings: UplinkSettings
    delay_s: float = 0.1
    live_bytes: int = 900
    backlog_bytes: int = 18_000
    backlog_batches: int = 10**9
    cloud_s: float = 0.0
    silences: list[Silence] = field(default_factory=list)
    live_s: list[float] = field(default_factory=list)
    backlog_sent: int = 0
    backlog_done: int = 0
    alarm_s: list[float] = field(default_factory=list)
    sent_bytes: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.window = Window(self.settings.receipt_timeout_s, self.settings.resend_cap_s)
        self.lanes = Lanes(self.settings, self.window)
        self.now = 0.0
        self._wire_free_at = 0.0
        self._cloud_free_at = 0.0
        self._is_cut = False
        self._answers: list[tuple[float, int]] = []
        self._made: dict[int, tuple[Lane, float]] = {}
        self._sizes: dict[int, int] = {}
        self._waiting: dict[Lane, list[int]] = {lane: [] for lane in Lane}
        self._next_id = 1
        self._backlog_made = 0
        self._next_live_at = 0.0

    def run(self, duration_s: float, *, alarm_every_s: float = 0) -> None:
        """Let time pass."""
        if self.now == 0:
            self.lanes.reconnected(0)
        end = self.now + duration_s
        next_alarm_at = self.now + alarm_every_s if alarm_every_s else float("inf")
        while self.now < end:
            self.now += STEP_S
            while self._next_live_at <= self.now:
                self._make(Lane.LIVE, self._next_live_at)
                self._next_live_at += LIVE_EVERY_S
            if self.now >= next_alarm_at:
                self._make(Lane.ALARM, self.now)
                next_alarm_at += alarm_every_s
            if self.silences:
                self._age()
            self._answer()
            self._cut()
            if not self._is_cut:
                self._step()

    def waiting_backlog(self) -> int:
        """Batches without a receipt that are backlog, those from the beginning too."""
        made = sum(lane is Lane.BACKLOG for lane, _ in self._made.values())
        return made + self.backlog_batches - self._backlog_made

    def _step(self) -> None:
        for batch_id in self.window.due(self.now):
            if self.lanes.may_resend(batch_id, self.now):
                self.lanes.timed_out(batch_id, self.now)
                self._send(batch_id)
        while self._fill():
            pass

    def _age(self) -> None:
        """Make backlog of live that could not be sent."""
        live = self._waiting[Lane.LIVE]
        while live and self._made[live[0]][1] <= self.now - LIVE_AGE_S:
            batch_id = live.pop(0)
            self._made[batch_id] = (Lane.BACKLOG, self._made[batch_id][1])
            self._waiting[Lane.BACKLOG].append(batch_id)

    def _cut(self) -> None:
        is_cut = any(one.away is Away.CUT for one in self._silences_at(self.now))
        if is_cut == self._is_cut:
            return
        self._is_cut = is_cut
        if is_cut:
            self._answers.clear()
            self.lanes.lost(self.now)
        else:
            self._wire_free_at = self.now
            self.lanes.reconnected(self.now)

    def _silences_at(self, at: float) -> list[Silence]:
        return [one for one in self.silences if one.begins_s <= at < one.ends_s]

    def live_p95_s(self) -> float:
        """From the making of a live batch to its receipt; one that still waits counts with its age."""
        waiting = [self.now - self._made[number][1] for number in self._made if self._made[number][0] is Lane.LIVE]
        return percentile(self.live_s + waiting, 0.95)

    def _make(self, lane: Lane, at: float) -> None:
        self._made[self._next_id] = (lane, at)
        self._sizes[self._next_id] = self.backlog_bytes if lane is Lane.BACKLOG else self.live_bytes
        self._waiting[lane].append(self._next_id)
        self._next_id += 1

    def _fill(self) -> bool:
        has_sent = False
        for lane in self.lanes.order(self.now):
            count, room = self.lanes.room(lane, self.now)
            is_short = lane is Lane.BACKLOG and len(self._waiting[lane]) < count
            if is_short and self._backlog_made < self.backlog_batches:
                self._backlog_made += 1
                self._make(lane, self.now)
            for taken, batch_id in enumerate(self._waiting[lane][:count]):
                size = self._sizes[batch_id]
                if taken and size > room:
                    break
                room -= size
                self._waiting[lane].remove(batch_id)
                self.backlog_sent += lane is Lane.BACKLOG
                self._send(batch_id)
                has_sent = True
        return has_sent

    def _send(self, batch_id: int) -> None:
        size = self._sizes[batch_id]
        self._wire_free_at = max(self.now, self._wire_free_at) + size / self.bytes_per_s
        self._commit(batch_id)
        self.sent_bytes.append((self.now, size))
        self.lanes.sent(self._batch(batch_id), self.now)

    def _commit(self, batch_id: int) -> None:
        comes_at = self._wire_free_at
        for one in self._silences_at(comes_at):
            if one.away is not Away.STOPPED:
                return
            comes_at = one.ends_s
        self._cloud_free_at = max(comes_at, self._cloud_free_at) + self.cloud_s
        answered_at = self._cloud_free_at + self.delay_s
        for one in self._silences_at(answered_at):
            if one.away is not Away.STOPPED:
                return
            answered_at = one.ends_s
        heapq.heappush(self._answers, (answered_at, batch_id))

    def _answer(self) -> None:
        while self._answers and self._answers[0][0] <= self.now:
            _, batch_id = heapq.heappop(self._answers)
            if batch_id not in self._made:
                continue
            lane, made_at = self._made.pop(batch_id)
            del self._sizes[batch_id]
            self.backlog_done += lane is Lane.BACKLOG
            if lane is Lane.LIVE:
                self.live_s.append(self.now - made_at)
            elif lane is Lane.ALARM:
                self.alarm_s.append(self.now - made_at)
            self.lanes.answered(batch_id, self.now)

    def _batch(self, batch_id: int) -> StoredBatch:
        return stored(batch_id, self._made[batch_id][0], self._sizes[batch_id])
