"""What a GNSS receiver says about the time, shared by all processes of a gateway. Sans-io.

A reference pairs UTC with the monotonic clock, which every process of one boot reads alike. So it stays right when the
wall clock is set, and whoever holds it measures the wall clock's offset anew. It never sets the clock.

*Source:* docs/adr/0075; Linux clock_gettime(2), ``CLOCK_MONOTONIC``.
"""

import msgspec

from contracts.records import Clock, ClockState

MAX_AGE_NS = 60_000_000_000
"""Longest use of a reference after the last valid fix."""
DRIFT_MS_PER_S = 0.1
"""A quartz in a cabinet on a quay: 100 ppm, twice what its maker allows between 0 and 60 °C."""
MAX_SOURCES = 8
"""GNSS receivers of one gateway; one is usual, three are a laboratory. The oldest goes."""

_NS_PER_MS = 1e6
_NS_PER_S = 1e9


class ClockReference(msgspec.Struct, frozen=True):
    """UTC by one GNSS receiver.

    Attributes:
        source: driver instance that reads the receiver.
        utc_ns: UTC ns since 1970 at ``mono_ns``.
        mono_ns: monotonic ns of this boot.
        bound_ms: how far ``utc_ns`` may be wrong, ms.
    """

    source: str
    utc_ns: int
    mono_ns: int
    bound_ms: float

    def bound_at_ms(self, mono_ns: int) -> float:
        """Return the bound at another instant: it grows while no fix comes."""
        return self.bound_ms + abs(mono_ns - self.mono_ns) / _NS_PER_S * DRIFT_MS_PER_S

    def offset_ms(self, wall_ns: int, mono_ns: int) -> float:
        """Return wall clock less GNSS, ms.

        Args:
            wall_ns: wall clock, ns.
            mono_ns: monotonic clock at the same instant.
        """
        return (wall_ns - self.utc_ns - (mono_ns - self.mono_ns)) / _NS_PER_MS


class ClockReferences:
    """The newest reference of each receiver; may be read from any thread, written by one."""

    def __init__(self) -> None:
        self._held: dict[str, ClockReference] = {}

    def take(self, reference: ClockReference | None) -> None:
        """Hold a reference in place of an older one of the same receiver; None is no news."""
        if reference is None:
            return
        known = self._held.get(reference.source)
        if known is not None and known.mono_ns >= reference.mono_ns:
            return
        # replaced, not changed: another thread may be reading
        held = {**self._held, reference.source: reference}
        if len(held) > MAX_SOURCES:
            del held[min(held.values(), key=lambda item: item.mono_ns).source]
        self._held = held

    def best(self, mono_ns: int) -> ClockReference | None:
        """Return the reference with the smallest bound now, None if none is younger than ``MAX_AGE_NS``."""
        fresh = [item for item in self._held.values() if 0 <= mono_ns - item.mono_ns <= MAX_AGE_NS]
        return min(fresh, key=lambda item: item.bound_at_ms(mono_ns), default=None)


def assess(kernel: Clock, reference: ClockReference | None, wall_ns: int, mono_ns: int) -> Clock:
    """Return the quality of the wall clock.

    A kernel that is steered by NTP within a smaller bound keeps that bound while GNSS does not contradict it; where the
    two contradict each other, GNSS, which was measured here, is believed.

    Args:
        kernel: what the kernel says of itself.
        reference: the best GNSS reference, if any.
        wall_ns: wall clock, ns.
        mono_ns: monotonic clock at the same instant.
    """
    if reference is None:
        return kernel
    offset_ms, bound_ms = abs(reference.offset_ms(wall_ns, mono_ns)), reference.bound_at_ms(mono_ns)
    error_ms = offset_ms + bound_ms
    if kernel.error_ms is not None and offset_ms <= bound_ms + kernel.error_ms:
        error_ms = min(error_ms, kernel.error_ms)
    return Clock(ClockState.GNSS, round(error_ms, 3))
