"""Wind of a mast with its gusts: the mean of the last 3 s, and the highest such mean of the last 10 min. Sans-io.

MWV is sampled; MWD, which many masts average before they send it, is told the gust and adds nothing to it.

*Source:* WMO-No. 8 (CIMO Guide), volume I chapter 5, 5.1: the gust is the highest 3 s mean of the last 10 minutes.
"""

from collections import deque

import msgspec

from contracts.payloads import Wind
from edge_agent.parsers.gust import MAX_GAP_NS, GustMean3s

PEAK_WINDOW_NS = 600_000_000_000
BUCKET_NS = 1_000_000_000
MAX_BUCKETS = PEAK_WINDOW_NS // BUCKET_NS + 1
"""The peak is kept a second: 601 numbers for 10 min, whatever the mast's rate."""


class GustPolicy:
    """Gusts of one mast."""

    def __init__(self) -> None:
        self._mean = GustMean3s()
        self._gust_mps: float | None = None
        self._sampled_at_ns: int | None = None
        self._peaks: deque[tuple[int, float]] = deque(maxlen=MAX_BUCKETS)

    def sample(self, wind: Wind, mono_ns: int) -> Wind:
        """Return the wind of an MWV with its gusts.

        Args:
            wind: what the sentence says; without a speed it is a hole in the samples.
            mono_ns: monotonic, ns, never falling.
        """
        if wind.speed_mps is not None:
            self._sampled_at_ns = mono_ns
            self._gust_mps = self._mean.add(wind.speed_mps, mono_ns)
            if self._gust_mps is not None:
                self._note_peak(self._gust_mps, mono_ns)
        return self.told(wind, mono_ns)

    def told(self, wind: Wind, mono_ns: int) -> Wind:
        """Return a wind with the gusts of the moment; null where the samples are too old for one.

        Args:
            wind: of a sentence that is no sample.
            mono_ns: monotonic, ns.
        """
        is_fresh = self._sampled_at_ns is not None and mono_ns - self._sampled_at_ns <= MAX_GAP_NS
        if not is_fresh or self._gust_mps is None:
            return wind
        begin_ns = mono_ns - PEAK_WINDOW_NS
        while self._peaks and self._peaks[0][0] * BUCKET_NS < begin_ns - BUCKET_NS:
            self._peaks.popleft()
        peak = max((value for _, value in self._peaks), default=None)
        return msgspec.structs.replace(wind, gust_3s_mps=self._gust_mps, gust_10min_mps=peak)

    def _note_peak(self, gust_mps: float, mono_ns: int) -> None:
        bucket = mono_ns // BUCKET_NS
        if self._peaks and self._peaks[-1][0] == bucket:
            gust_mps = max(gust_mps, self._peaks.pop()[1])
        self._peaks.append((bucket, gust_mps))
