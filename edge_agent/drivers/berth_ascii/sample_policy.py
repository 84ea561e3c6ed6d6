"""When the sentences of a berth cabinet make one sample. Sans-io.

A cabinet sends its lasers first and its hooks last, about once a second. The hooks complete the sample; a cabinet
without hooks completes it when a laser speaks for the second time. A laser that fell silent is left out, so that its
last distance is never told as if it were now.
"""

from contracts.payloads import BerthSample
from edge_agent.parsers.berth_ascii import Hooks, Laser

FRESH_NS = 3_000_000_000
"""Three rounds of a cabinet without a word of a laser or of a group of hooks: it is not there."""


class BerthRound:
    """Readings of one cabinet since its last sample."""

    def __init__(self) -> None:
        self._hooks: dict[int, tuple[float | None, int]] = {}
        self._lasers: dict[int, tuple[Laser, int]] = {}
        self._new_lasers: set[int] = set()
        self._last_group = 0

    def take(self, reading: Hooks | Laser, now_ns: int) -> BerthSample | None:
        """Take a reading; returns the sample that it completes.

        Args:
            reading: hooks or a laser.
            now_ns: monotonic, ns.
        """
        if isinstance(reading, Hooks):
            for index, tension in enumerate(reading.tensions_kn):
                self._hooks[reading.first + index] = (tension, now_ns)
            last = reading.first + len(reading.tensions_kn) - 1
            self._last_group = max(self._last_group, last)
            return self._sample(now_ns) if last == self._last_group else None
        is_second = reading.number in self._new_lasers and not self._fresh_hooks(now_ns)
        sample = self._sample(now_ns) if is_second else None
        self._lasers[reading.number] = (reading, now_ns)
        self._new_lasers.add(reading.number)
        return sample

    def _fresh_hooks(self, now_ns: int) -> dict[int, float | None]:
        return {hook: tension for hook, (tension, at_ns) in self._hooks.items() if now_ns - at_ns <= FRESH_NS}

    def _sample(self, now_ns: int) -> BerthSample:
        self._new_lasers.clear()
        hooks = self._fresh_hooks(now_ns)
        lasers = {number: laser for number, (laser, at_ns) in self._lasers.items() if now_ns - at_ns <= FRESH_NS}
        count = max(lasers, default=0)
        shown = [lasers.get(number) for number in range(1, count + 1)]
        return BerthSample(
            hook_tension_kn=[hooks.get(hook) for hook in range(1, max(hooks, default=0) + 1)],
            laser_distance_m=[laser.distance_m if laser else None for laser in shown] or None,
            laser_approach_mps=[laser.approach_mps if laser else None for laser in shown] or None,
        )
