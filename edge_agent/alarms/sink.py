"""The drivers' ``Sink`` with the limits of the profile kept on all that passes: an alarm follows its sample.

One policy a place: a bus of several cranes is one source.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from contracts.payloads import Payload
from edge_agent import clock
from edge_agent.alarms.alarm_policy import HOLE_NS, AlarmPolicy
from edge_agent.alarms.limits import NS
from edge_agent.alarms.readings import readings_of
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
        hole_ns = max(HOLE_NS, round(_HOLE_PERIODS * NS / getattr(source, "sample_hz", 1.0)))
        self._policies = {
            place: AlarmPolicy(readings_of(source.place_alarms.get(place or "", source.alarms)), hole_ns)
            for place in (source.place, *source.places())
        }

    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        """See the port."""
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
        for place, policy in self._policies.items():
            policy.adopt(each.alarm for each in active if each.place == place)
        at = clock.now()
        for each in active:
            if each.place not in self._policies:
                gone = msgspec.structs.replace(each.alarm, is_active=False, value=None)
                self._inner.put(gone, None, at, each.place)

    def counts(self) -> Mapping[str, int]:
        """Return what could not be held against limits, by reason."""
        return {"alarm_subjects": sum(policy.refused for policy in self._policies.values())}
