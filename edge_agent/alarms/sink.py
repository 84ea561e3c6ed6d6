"""The drivers' ``Sink`` with the limits of the profile kept on all that passes: an alarm follows its sample.

One policy a place: a bus of several cranes is one source. Alarms that a driver makes by itself pass: one that the
gateway knows already (the driver was started anew) is not told again, and its clearing names the moment that raised it.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from contracts.payloads import Alarm, Payload
from edge_agent import clock
from edge_agent.alarms.alarm_policy import HOLE_NS, AlarmPolicy
from edge_agent.alarms.limits import NS
from edge_agent.alarms.readings import KINDS, readings_of
from edge_agent.clock import Moment
from edge_agent.handover.protocol import ActiveAlarm
from firmware_configs.hardware_profile import Source

_HOLE_PERIODS = 3
"""Samples of a slow source that may be missing before a time that runs begins again."""


class Outlet(Protocol):
    """Where observations go on to; see ``edge_agent.drivers.ports.Sink``."""

    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        """Take one observation over."""
        ...

    async def room(self) -> None:
        """Wait until what one read of the hardware yields surely fits."""
        ...


class AlarmSink:
    """See the module.

    Args:
        inner: takes observations and alarms.
        source: its limits and places.
    """

    def __init__(self, inner: Outlet, source: Source) -> None:
        self._inner = inner
        self._place = source.place
        self._has_adopted = False
        self._made_by_driver: dict[tuple[str | None, str, str], Alarm] = {}
        self._known_again = 0
        hole_ns = max(HOLE_NS, round(_HOLE_PERIODS * NS / getattr(source, "sample_hz", 1.0)))
        self._policies = {
            place: AlarmPolicy(readings_of(source.place_alarms.get(place or "", source.alarms)), hole_ns)
            for place in (source.place, *source.places())
        }

    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        """See the port."""
        if isinstance(payload, Alarm):
            known = self._made_by_driver.pop((place or self._place, payload.alarm, payload.subject), None)
            if known is not None and payload.is_active:
                self._known_again += 1
                return
            if known is not None:
                payload = msgspec.structs.replace(payload, raised_at_ns=known.raised_at_ns)
        self._inner.put(payload, raw, at, place)
        self.watch(payload, at, place)

    def watch(self, payload: Payload, at: Moment, place: str | None = None) -> None:
        """See the port."""
        policy = self._policies.get(place or self._place)
        if policy is None:
            return
        for alarm in policy.feed(payload, at.mono_ns, at.wall_ns):
            self._inner.put(alarm, None, at, place)

    async def room(self) -> None:
        """See the port."""
        await self._inner.room()

    def adopt(self, active: Sequence[ActiveAlarm]) -> None:
        """Take over the alarms that were active when this process began; only the first call counts.

        An alarm of a place that the profile no longer has is cleared at once.

        Args:
            active: of this source, as the gateway keeps them.
        """
        if self._has_adopted:
            return
        self._has_adopted = True
        for each in active:
            if each.alarm.alarm not in KINDS:
                self._made_by_driver[(each.place, each.alarm.alarm, each.alarm.subject)] = each.alarm
        active = [each for each in active if each.alarm.alarm in KINDS]
        for place, policy in self._policies.items():
            policy.adopt(each.alarm for each in active if each.place == place)
        at = clock.now()
        for each in active:
            if each.place not in self._policies:
                gone = msgspec.structs.replace(each.alarm, is_active=False, value=None)
                self._inner.put(gone, None, at, each.place)

    def counts(self) -> Mapping[str, int]:
        """Return what could not be held against limits, and alarms that were known already, by reason."""
        refused = sum(policy.refused for policy in self._policies.values())
        return {"alarm_subjects": refused, "alarm_known": self._known_again}
