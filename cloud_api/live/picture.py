"""The live picture: latest state of each MMSI, fixed sensor and gateway, with what changed since a tick. Sans-io.

Rules: an older observation never overwrites a newer one (by time observed, then seq, then stream); order of arrival
never matters; a long-range position never overwrites a precise one fresher than three minutes; what claims to be from
the future is refused, for it would win for ever; everything that is not taken is counted by reason. Gateway reports are
taken as they arrive: they are never buffered, and a gateway whose clock steps back must not fall silent.

Times are UTC ns of this server (``now_ns``), given by the caller. *Source:* docs/live_wire.md, docs/http_api.md.
"""

from collections import deque

from cloud_api.accounting.models import GatewayStanding
from cloud_api.live.intervals import EXPIRE_GATEWAY_S, EXPIRE_SENSOR_S
from cloud_api.live.merging import POSITION_TYPES, STATIC_TYPES, merge
from cloud_api.live.models import NS_PER_S, Changes, GatewayState, Order, Origin, SensorPayload, SensorState, Target
from cloud_api.live.partial_states import TOLD_IN_PARTS
from cloud_api.live.ticked_map import TickedMap
from cloud_api.sensor_names import sensor_key
from contracts.health import GatewayStatus
from contracts.payloads import Ais
from contracts.records import Record

MAX_TARGETS = 50_000
"""Five times the largest VTS picture known (Singapore, 10,000 tracks): about 150 MB. The longest unheard goes first."""
MAX_SENSORS = 10_000
"""Twenty for each of 500 gateways. The longest unheard goes first."""
MAX_GATEWAYS = 5_000
"""Ten times the largest fleet planned for. The longest unheard goes first."""
REPLAY_NS = 60 * NS_PER_S
"""A reader further behind than this gets a snapshot: tombstones are kept no longer."""
MAX_FUTURE_NS = 60 * NS_PER_S
"""A gateway clock may be this far ahead; beyond it its observations are refused until the clock is right."""


class LivePicture:
    """See the module. One writer; readers get lists that later changes do not touch.

    Attributes:
        tick: last tick that was closed; changes since belong to the next one.
        counters: what was not taken or had to go, by reason.
    """

    def __init__(self, max_targets: int = MAX_TARGETS) -> None:
        self.tick = 0
        self.counters = dict.fromkeys(
            ("older", "from_future", "expired_on_arrival", "evicted_targets", "evicted_sensors", "evicted_gateways",
             "expired_targets", "expired_sensors", "expired_gateways"), 0)  # fmt: skip
        self._targets: TickedMap[int, Target] = TickedMap(max_targets, max_targets, is_told_in_parts=True)
        self._sensors: TickedMap[str, SensorState] = TickedMap(MAX_SENSORS, MAX_SENSORS)
        # the wire cannot say that a gateway is gone: no tombstones, so its removal makes readers take a snapshot
        self._gateways: TickedMap[str, GatewayState] = TickedMap(MAX_GATEWAYS, 0)
        self._closed: deque[tuple[int, int]] = deque()
        self._floor = 0
        self._is_dirty = False
        self._is_warming = False

    @property
    def is_warming(self) -> bool:
        """Whether it is still being filled from the history: what is not in it may be there all the same."""
        return self._is_warming

    def tell_warming(self, *, is_warming: bool) -> None:
        """Tell readers with the next tick whether the picture is still being filled."""
        self._is_dirty = self._is_dirty or is_warming is not self._is_warming
        self._is_warming = is_warming

    @property
    def has_changes(self) -> bool:
        """Whether something changed since the last tick was closed."""
        return self._is_dirty

    def observe_ais(self, ais: Ais, record: Record, origin: Origin, stream_id: str, now_ns: int) -> bool:
        """Take one AIS message.

        Returns:
            whether it changed the picture.
        """
        if ais.msg_type not in POSITION_TYPES and ais.msg_type not in STATIC_TYPES:
            return False
        if self._is_from_future(record.observed_at_ns, now_ns):
            return False
        known = self._targets.get(ais.mmsi)
        target = known or Target(ais.mmsi)
        order = Order(record.observed_at_ns, record.seq, stream_id)
        has_changed = merge(target, ais, order, origin, self.tick + 1)
        target.expires_at_ns = target.observed_at_ns + int(target.expire_after_s() * NS_PER_S)
        if known is not None and not has_changed:
            self.counters["older"] += order.observed_at_ns < known.observed_at_ns
            return False
        if known is None and now_ns > target.expires_at_ns:
            self.counters["expired_on_arrival"] += 1
            return False
        self.counters["evicted_targets"] += self._targets.put(ais.mmsi, target, self.tick + 1)
        self._is_dirty = True
        return True

    def observe_sensor(
        self, kind: str, payload: SensorPayload, record: Record, origin: Origin, stream_id: str, now_ns: int
    ) -> bool:
        """Take one observation of a fixed sensor.

        Args:
            kind: the payload's ``type`` on the wire.
            payload: the record's.
            record: the observation.
            origin: where it came from.
            stream_id: stream of the record.
            now_ns: UTC ns.

        Returns:
            whether it changed the picture.
        """
        if self._is_from_future(record.observed_at_ns, now_ns):
            return False
        if now_ns - record.observed_at_ns > EXPIRE_SENSOR_S * NS_PER_S:
            self.counters["expired_on_arrival"] += 1
            return False
        sensor_id = f"{origin.site}/{record.place or f'{origin.gateway}.{origin.source}'}/{sensor_key(kind, payload)}"
        order = Order(record.observed_at_ns, record.seq, stream_id)
        known = self._sensors.get(sensor_id)
        if known is not None and order <= known.order:
            self.counters["older"] += 1
            return False
        state = SensorState(sensor_id, kind, order, origin, record.place, record.clock, payload)
        if isinstance(payload, TOLD_IN_PARTS):
            state.field_times = known.field_times if known else state.field_times
            before = known.payload if known else None
            state.payload = state.field_times.completed(payload, before, record.observed_at_ns)
        state.was_stale = state.is_stale(now_ns)
        self.counters["evicted_sensors"] += self._sensors.put(sensor_id, state, self.tick + 1)
        self._is_dirty = True
        return True

    def hear(self, status: GatewayStatus, seen_at_ns: int, clock_offset_ms: float | None) -> None:
        """Take a gateway's report, as it arrives.

        Args:
            status: the report.
            seen_at_ns: UTC ns of its arrival.
            clock_offset_ms: gateway's clock less ours, ms; None is unknown.
        """
        state = GatewayState(f"{status.site}/{status.gateway}", status, seen_at_ns, clock_offset_ms)
        known = self._gateways.get(state.id)
        if known is not None:
            state.standing = known.next_standing or known.standing
        self.counters["evicted_gateways"] += self._gateways.put(state.id, state, self.tick + 1)
        self._is_dirty = True

    def tell_standing(self, standing: GatewayStanding) -> None:
        """Take a gateway's balance, see ``Announcer``; sums that only grow wait for its next report, seconds away."""
        state = self._gateways.get(standing.id)
        if state is None or state.standing == standing:
            return
        if state.was_online and state.standing is not None and state.standing.telling() == standing.telling():
            state.next_standing = standing
            return
        state.standing, state.next_standing = standing, None
        self._gateways.put(state.id, state, self.tick + 1)
        self._is_dirty = True

    def review(self, now_ns: int) -> None:
        """Let go what is too old, and mark what has turned stale or offline, so that readers are told.

        Call it each second: 50,000 targets cost 20 ms on a busy machine of two cores.
        """
        tick = self.tick + 1
        for target in self._targets.values():
            if now_ns > target.expires_at_ns:
                self._targets.remove(target.mmsi, tick)
                self._count_expired("expired_targets")
        for sensor in self._sensors.values():
            if now_ns - sensor.order.observed_at_ns > EXPIRE_SENSOR_S * NS_PER_S:
                self._sensors.remove(sensor.id, tick)
                self._count_expired("expired_sensors")
            elif sensor.is_stale(now_ns) is not sensor.was_stale:
                sensor.was_stale = not sensor.was_stale
                self._sensors.put(sensor.id, sensor, tick)
                self._is_dirty = True
        for gateway in self._gateways.values():
            if now_ns - gateway.seen_at_ns > EXPIRE_GATEWAY_S * NS_PER_S:
                self._gateways.remove(gateway.id, tick)
                self._count_expired("expired_gateways")
            elif gateway.is_online(now_ns) is not gateway.was_online:
                gateway.was_online = not gateway.was_online
                self._gateways.put(gateway.id, gateway, tick)
                self._is_dirty = True

    def advance(self, mono_ns: int) -> int:
        """Close the current tick and return it; forget what only readers 60 s behind would need.

        Args:
            mono_ns: monotonic ns: a step of the wall clock must not shorten what readers can resume from.
        """
        self.tick += 1
        self._is_dirty = False
        self._closed.append((self.tick, mono_ns))
        while self._closed and mono_ns - self._closed[0][1] > REPLAY_NS:
            self._floor = self._closed.popleft()[0] + 1
        for part in (self._targets, self._sensors, self._gateways):
            part.forget(self._floor)
        return self.tick

    def snapshot(self) -> Changes:
        """Return everything."""
        targets = self._targets.values()
        return Changes(
            tick=self.tick,
            is_snapshot=True,
            rows=[target.row for target in targets if target.row is not None],
            statics=[target for target in targets if target.static],
            gone=(),
            sensors=self._sensors.values(),
            gone_sensors=(),
            gateways=self._gateways.values(),
        )

    def changes_since(self, tick: int) -> Changes | None:
        """Return what changed after ``tick``, or None if that can only be said by a snapshot.

        Args:
            tick: a tick that the reader stands at.
        """
        floor = max(self._floor, self._targets.floor, self._sensors.floor, self._gateways.floor)
        if not floor <= tick <= self.tick:
            return None
        changed = list(self._targets.changed_since(tick))
        return Changes(
            tick=self.tick,
            is_snapshot=False,
            rows=[target.row for target in changed if target.row is not None and target.position_tick > tick],
            statics=[target for target in changed if target.static_tick > tick],
            gone=self._targets.gone_since(tick),
            sensors=list(self._sensors.changed_since(tick)),
            gone_sensors=self._sensors.gone_since(tick),
            gateways=list(self._gateways.changed_since(tick)),
        )

    def target(self, mmsi: int) -> Target | None:
        """Return one target, or None if it is not in the picture."""
        return self._targets.get(mmsi)

    def targets(self) -> list[Target]:
        """Return all targets, the one that changed longest ago first."""
        return self._targets.values()

    def sensors(self) -> list[SensorState]:
        """Return all sensors."""
        return self._sensors.values()

    def gateways(self) -> list[GatewayState]:
        """Return all gateways."""
        return self._gateways.values()

    def _is_from_future(self, observed_at_ns: int, now_ns: int) -> bool:
        is_ahead = observed_at_ns > now_ns + MAX_FUTURE_NS
        self.counters["from_future"] += is_ahead
        return is_ahead

    def _count_expired(self, reason: str) -> None:
        self.counters[reason] += 1
        self._is_dirty = True
