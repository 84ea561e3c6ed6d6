"""Sentences of a GNSS receiver → what UTC is on the gateway's monotonic clock, and how far that can be wrong. Sans-io.

A receiver writes the time of its fix some way behind it: its own latency, then the bytes on the wire. The bytes are
counted and the wire's share taken off; the latency lies between nothing and what the profile declares, so half of it is
taken off and the other half is the bound. Of the last ``WINDOW_NS`` the promptest sentence counts: whatever else held a
sentence up (a busy machine, a terminal server) made it later. One that is earlier than the declared latency allows is a
receiver that stumbled over a second, and is left out.

It believes only what a valid fix stands behind: ZDA runs on from the receiver's own clock without one.

*Source:* docs/adr/0075; IEC 61108-1:2003 clause 4.3 (position output); IEC 61162-1:2016 clause 8.3.117 (ZDA).
"""

from collections import deque
from datetime import date
from statistics import median
from typing import NamedTuple

from contracts.payloads import GnssFix
from edge_agent.clock_reference import DRIFT_MS_PER_S, ClockReference

WINDOW_NS = 30_000_000_000
MIN_SAMPLES = 5
MAX_SAMPLES = 128
"""Two sentences a second for a minute; of a faster receiver the newest are kept."""
FIX_HOLD_NS = 5_000_000_000
"""A ZDA counts this long after the last valid fix."""
FIRST_UTC_NS = (date(2024, 1, 1).toordinal() - date(1970, 1, 1).toordinal()) * 86_400 * 1_000_000_000
"""Before it was written this software cannot run: such a date is of a receiver that lost 1,024 weeks."""
BEST_REAL_FIX = 5
"""Kinds of fix above this are estimated, typed in or simulated (GGA 6, 7, 8)."""

_NS_PER_MS = 1e6
_NS_PER_S = 1e9


class _Sample(NamedTuple):
    mono_ns: int
    base_ns: int
    """Monotonic clock less UTC, with what held the sentence up."""


class GnssTimePolicy:
    """See the module.

    Args:
        source: driver instance.
        latency_ns: longest time from a fix to the first byte that tells of it, ns.
    """

    def __init__(self, source: str, latency_ns: int) -> None:
        self._source = source
        self._latency_ns = latency_ns
        self._samples: deque[_Sample] = deque(maxlen=MAX_SAMPLES)
        self._fixed_at_ns: int | None = None

    def observe(self, fix: GnssFix, mono_ns: int, wire_ns: int) -> None:
        """Take one sentence.

        Args:
            fix: what it says.
            mono_ns: when its last byte was read.
            wire_ns: time that its bytes took on the wire.
        """
        if fix.lon_deg is not None and (fix.quality is None or fix.quality <= BEST_REAL_FIX):
            self._fixed_at_ns = mono_ns
        has_fix = self._fixed_at_ns is not None and mono_ns - self._fixed_at_ns <= FIX_HOLD_NS
        if not has_fix or fix.utc_ns is None or fix.utc_ns < FIRST_UTC_NS:
            return
        self._samples.append(_Sample(mono_ns, mono_ns - wire_ns - fix.utc_ns))
        while self._samples[0].mono_ns < mono_ns - WINDOW_NS:
            self._samples.popleft()

    def reference(self) -> ClockReference | None:
        """Return the newest reference, None before there are ``MIN_SAMPLES`` within ``WINDOW_NS``."""
        if len(self._samples) < MIN_SAMPLES:
            return None
        bases = [sample.base_ns for sample in self._samples]
        middle = median(bases)
        prompt = min(base for base in bases if base >= middle - self._latency_ns)
        # a link that is late by more than the receiver may be makes the bound, not the declaration
        spread_ns = max(self._latency_ns, int(middle) - prompt)
        newest_ns = self._samples[-1].mono_ns
        drift_ms = (newest_ns - self._samples[0].mono_ns) / _NS_PER_S * DRIFT_MS_PER_S
        utc_ns = newest_ns - prompt + self._latency_ns // 2
        return ClockReference(self._source, utc_ns, newest_ns, round(spread_ns / 2 / _NS_PER_MS + drift_ms, 3))
