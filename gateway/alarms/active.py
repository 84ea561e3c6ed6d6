"""Which alarms are active, by source, place, kind and subject. Sans-io.

Facts come from records that are on disk, in the order of their numbers, and may come twice. An alarm is cleared by its
record and by nothing else: not by silence, not by a driver that ends.
"""

from collections.abc import Sequence

import msgspec

from contracts.payloads import Alarm
from contracts.records import Observation
from edge_agent.handover.protocol import ActiveAlarm

MAX_ACTIVE = 256
"""A gateway of eight cranes and two berths with every limit passed has 70. More are counted, not kept: their records
are in the outbox like all others."""

SEVERITIES = ("alarm", "warning")
"""Most urgent first."""

_Key = tuple[str, str, str, str]


class SourceAlarm(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One active alarm, and where it comes from.

    Attributes:
        raised_mono_ns: when it was first told, by the monotonic clock of ``boot_id``, ns: its age does not move with
            the clock. 0 where it is not known.
        boot_id: the boot that this counts in.
    """

    source: str
    place: str | None = None
    alarm: Alarm
    raised_mono_ns: int = 0
    boot_id: str = ""

    def age_s(self, now_ns: int, now_mono_ns: int, boot_id: str) -> float:
        """Return its age, s, at least 0: by the monotonic clock where it was raised in this boot.

        Args:
            now_ns: UTC ns.
            now_mono_ns: monotonic clock, ns.
            boot_id: this boot.
        """
        is_known = bool(self.raised_mono_ns) and self.boot_id == boot_id
        passed_ns = now_mono_ns - self.raised_mono_ns if is_known else now_ns - self.alarm.raised_at_ns
        return max(0, passed_ns) / 1e9


class ActiveAlarms:
    """See the module.

    Args:
        kept: what was active before, as ``listed`` returned it.

    Attributes:
        refused: alarms beyond ``MAX_ACTIVE``.
    """

    def __init__(self, kept: Sequence[SourceAlarm] = ()) -> None:
        self._active = {_key(each): each for each in kept[:MAX_ACTIVE]}
        self.refused = 0

    def take(self, observations: Sequence[Observation]) -> bool:
        """Take in what was stored; returns whether the set has changed.

        Args:
            observations: of one source, in order; what is no alarm is passed over.
        """
        has_changed = False
        for observation in observations:
            payload = observation.payload
            if isinstance(payload, Alarm):
                each = SourceAlarm(
                    source=observation.source,
                    place=observation.place,
                    alarm=payload,
                    raised_mono_ns=observation.mono_ns,
                    boot_id=observation.boot_id,
                )
                has_changed |= self._note(each)
        return has_changed

    def listed(self) -> list[SourceAlarm]:
        """Return all active alarms: the most urgent first, of those the newest first."""
        return sorted(self._active.values(), key=_urgency)

    def of_source(self, source: str) -> list[ActiveAlarm]:
        """Return the active alarms of one source, as its driver is told."""
        return [ActiveAlarm(each.alarm, each.place) for each in self._active.values() if each.source == source]

    def forget_others(self, sources: Sequence[str]) -> int:
        """Drop alarms of sources that the device no longer has; returns how many.

        Args:
            sources: of the device.
        """
        gone = [key for key in self._active if key[0] not in sources]
        for key in gone:
            del self._active[key]
        return len(gone)

    def _note(self, each: SourceAlarm) -> bool:
        key = _key(each)
        if not each.alarm.is_active:
            return self._active.pop(key, None) is not None
        before = self._active.get(key)
        if before is not None and before.alarm.raised_at_ns == each.alarm.raised_at_ns:
            each = msgspec.structs.replace(each, raised_mono_ns=before.raised_mono_ns, boot_id=before.boot_id)
        if before == each:
            return False
        if key not in self._active and len(self._active) >= MAX_ACTIVE:
            self.refused += 1
            return False
        self._active[key] = each
        return True


def _key(each: SourceAlarm) -> _Key:
    return each.source, each.place or "", each.alarm.alarm, each.alarm.subject


def _urgency(each: SourceAlarm) -> tuple[int, int]:
    severity = each.alarm.severity
    rank = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
    return rank, -each.alarm.raised_at_ns
