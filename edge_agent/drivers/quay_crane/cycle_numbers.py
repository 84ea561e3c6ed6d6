"""Numbers of lifts that never repeat: (plc_boot_id, cycle_no). Sans-io.

Where the PLC counts its lifts, its number is taken; a new epoch begins when its own count of starts changes or its
counter falls back. Where it does not count, or did not count a lift, the number is this process's own, in an epoch that
carries the time when the process began to look: docs/adr/0077. Within an epoch numbers only rise.
"""

from contracts.payloads import CraneSample
from edge_agent.clock import Moment

Number = tuple[str, int]
MAX_EPOCHS = 16
"""Starts of the PLC that are remembered, so that one whose zeros passed for another start goes on where it was."""


class _Epoch:
    """One stretch of the PLC's counter.

    Attributes:
        name: of the epoch.
        given: highest number that is not to be given again.
        is_given: a lift has it; what lies between it and the next was not seen.
    """

    def __init__(self, name: str, given: int) -> None:
        self.name = name
        self.given = given
        self.is_given = False


class CycleNumbers:
    """Numbers of one crane's lifts, for the life of a driver process."""

    def __init__(self) -> None:
        self._run = ""
        self._boot_no: int | None = None
        self._counter: int | None = None
        self._resets = 0
        self._epochs: dict[int | None, _Epoch] = {}
        self._epoch = _Epoch("", 0)
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
        return self._counter is not None and self._counter > self._epoch.given

    def see(self, sample: CraneSample, at: Moment) -> None:
        """Look at the PLC's counters, at every sample.

        Args:
            sample: the sample.
            at: when it was read.
        """
        boot_no = self._boot_no if sample.plc_boot_no is None else sample.plc_boot_no
        counter = self._counter if sample.cycle_no is None else sample.cycle_no
        if not self._run:
            self._run = f"r{at.wall_ns // 1_000_000:x}"
            self._enter(boot_no, counter or 0)
        elif boot_no != self._boot_no:
            self._enter(boot_no, counter or 0)
        if counter is not None and self._counter is None:
            # it begins to tell: what it has counted so far was before
            self._epoch.given = max(self._epoch.given, counter)
        elif counter is not None and counter < self._epoch.given:
            self._resets += 1
            self._epoch = self._epochs[boot_no] = _Epoch(self._name(boot_no, self._resets), 0)
        self._boot_no, self._counter = boot_no, counter

    def begin(self) -> None:
        """Note that a lift begins: what the PLC has counted until now was before it."""
        epoch = self._epoch
        if self._counter is not None and self.is_counted:
            self.skipped += self._counter - epoch.given if epoch.is_given else 0
            epoch.given = self._counter

    def plc_number(self) -> Number | None:
        """Return the PLC's number of the lift that has just ended, ``None`` while it has not counted it."""
        epoch = self._epoch
        if self._counter is None or not self.is_counted:
            return None
        self.skipped += self._counter - epoch.given - 1 if epoch.is_given else 0
        epoch.given, epoch.is_given = self._counter, True
        return epoch.name, self._counter

    def own_number(self) -> Number:
        """Return a number of this process, in an epoch that no other process and no PLC has."""
        self._own_no += 1
        return (self._run if self._boot_no is None else f"plc-{self._boot_no}.{self._run}"), self._own_no

    def _enter(self, boot_no: int | None, counter: int) -> None:
        """Go to the epoch of a start of the PLC: one that was seen before goes on, another begins.

        A counter that is beyond 1 at first sight was kept over the start, or has counted what nobody saw: an earlier
        process may have told of it.
        """
        known = self._epochs.get(boot_no)
        if known is None:
            name = self._name(boot_no, 0 if boot_no is not None else self._resets)
            known = self._epochs[boot_no] = _Epoch(name, counter if counter > 1 or not self._epoch.name else 0)
        if len(self._epochs) > MAX_EPOCHS:
            del self._epochs[next(iter(self._epochs))]
        self._epoch = known

    def _name(self, boot_no: int | None, resets: int) -> str:
        if boot_no is None:
            return f"{self._run}.{resets}"
        return f"plc-{boot_no}" + (f".{self._run}.{resets}" if resets else "")
