"""Numbers of lifts that never repeat: (plc_boot_id, cycle_no). Sans-io.

Where the PLC counts its lifts, its number is taken; a new epoch begins when its own count of starts changes or its
counter falls back. Where it does not count, or did not count a lift, the number is this process's own, in an epoch that
carries the time when the process began to look: docs/adr/0077. Within an epoch numbers only rise.
"""

from contracts.payloads import CraneSample
from edge_agent.clock import Moment

Number = tuple[str, int]


class CycleNumbers:
    """Numbers of one crane's lifts, for the life of a driver process."""

    def __init__(self) -> None:
        self._run = ""
        self._boot_no: int | None = None
        self._counter: int | None = None
        self._resets = 0
        self._given = 0
        """Highest number of the PLC that is not to be given again."""
        self._is_given = False
        """A lift of this epoch has it: what lies between it and the next was not seen."""
        self._own_no = 0
        self.skipped = 0
        """Lifts that the PLC counted and nobody saw."""

    @property
    def has_counter(self) -> bool:
        """The PLC counts its lifts."""
        return self._counter is not None

    @property
    def is_counted(self) -> bool:
        """The PLC has counted a lift that has no record yet."""
        return self._counter is not None and self._counter > self._given

    def see(self, sample: CraneSample, at: Moment) -> None:
        """Look at the PLC's counters, at every sample.

        Args:
            sample: the sample.
            at: when it was read.
        """
        if not self._run:
            self._run = f"r{at.wall_ns // 1_000_000:x}"
            self._given = sample.cycle_no or 0
        is_other_boot = sample.plc_boot_no is not None and sample.plc_boot_no != self._boot_no
        is_reset = sample.cycle_no is not None and self._counter is not None and sample.cycle_no < self._counter
        if (is_other_boot and self._boot_no is not None) or is_reset:
            self._resets += 1
            # a counter that outlived the start goes on; one that began again has counted from 0
            self._given = self._counter or 0 if sample.cycle_no == self._counter else 0
            self._is_given = False
        self._boot_no = sample.plc_boot_no if sample.plc_boot_no is not None else self._boot_no
        self._counter = sample.cycle_no if sample.cycle_no is not None else self._counter

    def begin(self) -> None:
        """Note that a lift begins: what the PLC has counted until now was before it."""
        if self._counter is not None and self._counter > self._given:
            self.skipped += self._counter - self._given if self._is_given else 0
            self._given = self._counter

    def plc_number(self) -> Number | None:
        """Return the PLC's number of the lift that has just ended, ``None`` while it has not counted it."""
        if self._counter is None or not self.is_counted:
            return None
        self.skipped += self._counter - self._given - 1 if self._is_given else 0
        self._given, self._is_given = self._counter, True
        return self._epoch(), self._counter

    def own_number(self) -> Number:
        """Return a number of this process, in an epoch that no other process and no PLC has."""
        self._own_no += 1
        return (self._run if self._boot_no is None else f"plc-{self._boot_no}.{self._run}"), self._own_no

    def _epoch(self) -> str:
        return f"{self._run}.{self._resets}" if self._boot_no is None else f"plc-{self._boot_no}"
