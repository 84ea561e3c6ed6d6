"""The last time that is sure to be past, and by what time a certificate is judged. Sans-io.

A device without a battery clock starts in 1970, or years ahead. Its certificates are then judged by what it knows: the
newest time that it believed in an earlier boot plus what has run since (a floor: it is at least that late), or the
time by GNSS, which is measured and never set. A clock that is believed and right is left to OpenSSL.

*Source:* RFC 5280 clause 4.1.2.5 (validity); docs/adr/0124.
"""

from dataclasses import dataclass

from contracts.records import ClockState

RIGHT_WITHIN_NS = 3_600_000_000_000
"""A system clock that is this near to the believed time is right enough for certificates of weeks and months."""


@dataclass(frozen=True, slots=True)
class BelievedTime:
    """The true time at one moment, as far as it is known.

    Attributes:
        utc_ns: UTC ns since 1970.
        mono_ns: the same moment by the monotonic clock, ns.
        error_ms: bound of the error, ms.
        source: what told it.
    """

    utc_ns: int
    mono_ns: int
    error_ms: float
    source: ClockState


@dataclass(frozen=True, slots=True)
class JudgeBy:
    """The time that certificates are judged by in place of the system clock's.

    Attributes:
        at_ns: UTC ns.
        is_floor: it is at least that late; else it is that time.
    """

    at_ns: int
    is_floor: bool


class TimeFloor:
    """See the module.

    Args:
        floor_ns: UTC ns that is past for sure: of the file, or the beginning of the gateway's own certificate.
        mono_ns: monotonic clock now, ns.
    """

    def __init__(self, floor_ns: int, mono_ns: int) -> None:
        # one value, replaced as a whole: the thread of a connection reads it
        self._known = (floor_ns, mono_ns)

    def floor_ns(self, mono_ns: int) -> int:
        """Return UTC ns that is past for sure; it runs on with the monotonic clock."""
        floor_ns, at_ns = self._known
        return floor_ns + max(0, mono_ns - at_ns)

    def raise_to(self, floor_ns: int, mono_ns: int) -> None:
        """Take another time that is past for sure."""
        if floor_ns > self.floor_ns(mono_ns):
            self._known = (floor_ns, mono_ns)

    def believe(self, known: BelievedTime) -> None:
        """Take what is believed now, also where it is earlier: a floor that was too late corrects itself."""
        self._known = (known.utc_ns - round(known.error_ms * 1e6), known.mono_ns)

    def judge_by(self, wall_ns: int, mono_ns: int, known: BelievedTime | None) -> JudgeBy | None:
        """Return what certificates are to be judged by, None for the system clock.

        Args:
            wall_ns: system clock, UTC ns.
            mono_ns: monotonic clock at the same moment, ns.
            known: the believed time now, if any.
        """
        if known is not None:
            true_ns = known.utc_ns + mono_ns - known.mono_ns
            is_right = abs(wall_ns - true_ns) <= RIGHT_WITHIN_NS
            return None if is_right else JudgeBy(true_ns, is_floor=False)
        floor_ns = self.floor_ns(mono_ns)
        return JudgeBy(floor_ns, is_floor=True) if wall_ns < floor_ns else None
