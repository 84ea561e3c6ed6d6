"""Holds every sample of one place against the limits of its profile: samples in, alarms out. Sans-io.

What is active outlives this process: the gateway keeps it and says so in its first Welcome (``adopt``). Until then
limits are judged but nothing is told, so that a driver that is started anew raises no alarm a second time. An alarm
that is adopted and whose limit is no longer in the profile is cleared, without a value.
"""

from collections.abc import Iterable, Sequence

import msgspec

from contracts.payloads import Alarm, Payload
from edge_agent.alarms.limits import LimitState
from edge_agent.alarms.readings import Reading, Readings

MAX_STATES = 256
"""Limits times subjects: 64 hooks with three limits each, and 16 groups. More are not kept, and counted."""

HOLE_NS = 5_000_000_000
"""Longest step between two samples that counts towards a time: five samples of a berth at its default rate."""

_Key = tuple[str, str]


class AlarmPolicy:
    """The alarms of one place (crane, berth, mast).

    Args:
        readings: what reads values for limits off a payload.
        hole_ns: longest step between two samples that counts towards a time, ns.

    Attributes:
        refused: readings beyond ``MAX_STATES``.
    """

    def __init__(self, readings: Sequence[Readings], hole_ns: int = HOLE_NS) -> None:
        self._readings = readings
        self._kinds = frozenset[str]().union(*(each.kinds for each in readings))
        self._hole_ns = hole_ns
        self._states: dict[_Key, LimitState] = {}
        self._told: dict[_Key, Alarm] | None = None
        self._adopted: dict[_Key, Alarm] = {}
        self._newest: dict[_Key, Alarm] = {}
        self.refused = 0

    def adopt(self, active: Iterable[Alarm]) -> None:
        """Take over what was active when this process began; to be called once.

        Args:
            active: active alarms of this place, as the gateway knows them.
        """
        self._told = {(alarm.alarm, alarm.subject): alarm for alarm in active}
        for key in self._told:
            state = self._states.get(key)
            if state is None:
                self._adopted[key] = self._told[key]
            else:
                state.is_active = True

    def feed(self, payload: Payload, mono_ns: int, wall_ns: int) -> list[Alarm]:
        """Return the alarms that a sample raises or clears.

        Args:
            payload: any payload of this place.
            mono_ns: when it was read, monotonic, ns, never falling.
            wall_ns: the same, UTC ns since 1970.
        """
        for readings in self._readings:
            for reading in readings.read(payload, mono_ns):
                self._judge(reading, mono_ns, wall_ns)
        return self._news()

    def _judge(self, reading: Reading, mono_ns: int, wall_ns: int) -> None:
        limit, subject, value = reading
        key = (limit.alarm, subject)
        state = self._states.get(key)
        if state is None:
            if len(self._states) >= MAX_STATES:
                self.refused += 1
                return
            state = self._states[key] = LimitState(limit, self._hole_ns)
            if self._adopted.pop(key, None) is not None:
                state.is_active = True
        if state.judge(value, mono_ns):
            self._newest[key] = Alarm(
                alarm=limit.alarm, severity=limit.severity, is_active=state.is_active, value=value,
                limit=limit.raise_at, unit=limit.unit, subject=subject, raised_at_ns=wall_ns,
            )  # fmt: skip

    def _news(self) -> list[Alarm]:
        """Return what differs from what was told."""
        told = self._told
        if told is None:
            return []
        news: list[Alarm] = []
        for key, alarm in self._newest.items():
            if alarm.is_active and key not in told:
                told[key] = alarm
                news.append(alarm)
            elif not alarm.is_active and key in told:
                news.append(msgspec.structs.replace(alarm, raised_at_ns=told.pop(key).raised_at_ns))
        self._newest.clear()
        for key in [key for key in self._adopted if key[0] not in self._kinds]:
            del told[key]
            news.append(msgspec.structs.replace(self._adopted.pop(key), is_active=False, value=None))
        return news
