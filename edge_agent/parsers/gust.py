"""The 3-second gust: mean speed over the last three seconds, by time and not by number of samples. Sans-io.

Each sample stands for the time since the one before it, so that an anemometer whose rate wavers is not biased. Where
the samples do not cover three seconds without a hole there is no gust: null, never the mean of what there happens
to be.

*Source:* WMO-No. 8 (CIMO Guide), volume I chapter 5: the gust is the peak of the 3 s running mean; FEM 1.004 and
ISO 4302 state the wind limits of cranes by the same mean.
"""

from collections import deque

WINDOW_NS = 3_000_000_000

MAX_GAP_NS = 1_500_000_000
"""Longest step between two samples that still joins them: anemometers speak once a second, give or take half of one.
After a longer one three new seconds are awaited."""

MIN_STEP_NS = 5_000_000
"""Samples closer together than this count as one, the newest: bytes of one read carry one time. Caps the window at
1,202 samples whatever a device sends."""

_MILLIMETRES = 3


class GustMean3s:
    """Moving mean of one anemometer over ``WINDOW_NS``."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, float]] = deque()

    def add(self, speed_mps: float, at_ns: int) -> float | None:
        """Take one sample; return the mean of the 3 s that end with it.

        Args:
            speed_mps: m/s, 0 to 100. A sample without a speed is not to be added: it is a hole.
            at_ns: monotonic, ns, never falling.

        Returns:
            m/s to the millimetre; ``None`` while the samples do not cover 3 s.
        """
        samples = self._samples
        if samples and at_ns - samples[-1][0] > MAX_GAP_NS:
            samples.clear()
        # never the first: it is where the oldest interval begins
        if len(samples) > 1 and at_ns - samples[-2][0] < MIN_STEP_NS:
            samples.pop()
        samples.append((at_ns, speed_mps))
        begin_ns = at_ns - WINDOW_NS
        while len(samples) > 1 and samples[1][0] <= begin_ns:
            samples.popleft()
        if samples[0][0] > begin_ns:
            return None
        total, before_ns = 0.0, begin_ns
        for sample_ns, sample_mps in list(samples)[1:]:
            total += sample_mps * (sample_ns - before_ns)
            before_ns = sample_ns
        return round(total / WINDOW_NS, _MILLIMETRES)
