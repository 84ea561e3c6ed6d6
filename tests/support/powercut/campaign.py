"""Runs of cuts: record a workload, cut it at hundreds of points, examine each, and cut recoveries, too."""

import asyncio
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from tests.support.powercut.disk import Cut, Disk, any_cut, lay_out, read_tree
from tests.support.powercut.examine import examine
from tests.support.powercut.ledger import Ledger
from tests.support.powercut.recording import Kind, Names, Op, read_ops
from tests.support.powercut.subject import Subject
from tests.support.powercut.workload import RECOVERY_STEPS, STEPS

MEMORY = Path("/dev/shm")  # noqa: S108 - images are small and many; elsewhere the temporary folder serves
RECOVERY_KEY = 10**6
CUTS_A_RECOVERY = 6
MAX_SHOWN = 5


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        cuts: images examined.
        points: distinct points of the recorded run that were cut.
        recovery_cuts: of the cuts, those within a recovery.
        salvages: images that were taken for damage and salvaged: a torn transaction where the mark is torn, too.
        broken: cuts with a broken promise, each with its seed and what it broke.
        syncs: recorded syncs by label.
    """

    cuts: int = 0
    points: int = 0
    recovery_cuts: int = 0
    salvages: int = 0
    broken: list[str] = field(default_factory=list)
    syncs: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Outcome") -> None:
        """Add another run."""
        self.cuts += other.cuts
        self.points += other.points
        self.recovery_cuts += other.recovery_cuts
        self.salvages += other.salvages
        self.broken += other.broken
        self.syncs += other.syncs


class Run:
    """One recorded workload and its cuts.

    Args:
        seed: of everything.
        subject: the process that is recorded.
        dropped: pattern of the labels of syncs that the replay ignores; points around them are cut first.
    """

    def __init__(self, seed: int, subject: Subject, dropped: str = "") -> None:
        self._dice = random.Random(seed)
        self._seed = seed
        self._subject = subject
        self._dropped = dropped
        self._outcome = Outcome()
        self._folder = Path(tempfile.mkdtemp(prefix="powercut", dir=MEMORY if MEMORY.is_dir() else None))

    def record(self) -> list[Op]:
        """Record the workload; what its log says must be what lies in the folder."""
        live = self._folder / "live"
        live.mkdir()
        pages = self._dice.choice((20, 100, 4000))
        log = self._subject.run(live, self._folder / "log", self._seed, STEPS, 1, pages)
        ops = list(read_ops(log, Names()))
        disk = Disk()
        for op in ops:
            disk.apply(op)
        assert disk.image(Cut(0, "kept", "kept", has_journal=False)) == read_tree(live), "the recorder missed something"
        self._outcome.syncs.update(op.label for op in ops if op.kind is Kind.SYNC)
        return ops

    def cut(self, points: int, recoveries: int, enough: int = 10**9) -> Outcome:
        """Cut the workload at ``points`` points and record ``recoveries`` of them; stops at ``enough`` violations."""
        try:
            ops = self.record()
            chosen = self._choose(ops, points)
            recovered = set(self._dice.sample(chosen, min(recoveries // 2, len(chosen))))
            recovered |= set(self._killed_in_commit(ops, recoveries - recoveries // 2))
            chosen = sorted({*chosen, *recovered})
            with asyncio.Runner() as runner:
                for at, disk, ledger in self._walk(ops, Disk(self._dropped), Ledger(), chosen):
                    self._outcome.points += 1
                    self._examine(runner, disk, ledger, f"point {at}")
                    if at in recovered:
                        is_killed = self._is_commit(ops, at) or self._dice.random() < 0.5
                        self._cut_recovery(runner, disk, ledger, at, is_killed=is_killed)
                    if len(self._outcome.broken) >= enough:
                        break
        finally:
            shutil.rmtree(self._folder)
        return self._outcome

    def _choose(self, ops: list[Op], points: int) -> list[int]:
        """Choose points: around each sync and change of a name first, since there the promises turn; then any."""
        real = [at for at, op in enumerate(ops) if op.kind is not Kind.MARK]
        if self._dropped:
            turning = [n for n, at in enumerate(real) if re.fullmatch(self._dropped, ops[at].label)]
            near = {real[m] for n in turning for m in range(max(n - 3, 0), min(n + 12, len(real)))}
        else:
            turning = [n for n, at in enumerate(real) if ops[at].kind is not Kind.WRITE]
            near = {real[m] for n in turning for m in range(max(n - 1, 0), n + 1)}
        chosen = set(self._dice.sample(sorted(near), min(len(near), points // 2)))
        rest = [at for at in real if at not in chosen]
        return sorted(chosen | set(self._dice.sample(rest, min(len(rest), points - len(chosen)))))

    def _killed_in_commit(self, ops: list[Op], number: int) -> list[int]:
        """Choose points where a commit was written and not synced yet: the next process takes it for done."""
        unsynced = [at for at in range(len(ops)) if self._is_commit(ops, at)]
        # the first of an opening are rare and special: the log itself is new
        first = [at for at in unsynced if any(op.label.startswith("folder") for op in ops[at : at + 3])]
        some = self._dice.sample(first, min(len(first), number // 2))
        rest = [at for at in unsynced if at not in some]
        return some + self._dice.sample(rest, min(len(rest), number - len(some)))

    @staticmethod
    def _is_commit(ops: list[Op], at: int) -> bool:
        return ops[at].kind is Kind.WRITE and at + 1 < len(ops) and ops[at + 1].label == "wal by sqlite"

    def _walk(self, ops: list[Op], disk: Disk, ledger: Ledger, chosen: list[int]) -> Iterator[tuple[int, Disk, Ledger]]:
        """Yield the disk and the promises right after each chosen operation and the marks that follow it."""
        due = -1
        for at, op in enumerate(ops):
            if op.kind is Kind.MARK:
                ledger.mark(op.data)
                continue
            if due >= 0:
                yield due, disk, ledger
            disk.apply(op)
            due = at if at in chosen else -1
        if due >= 0:
            yield due, disk, ledger

    def _examine(self, runner: asyncio.Runner, disk: Disk, ledger: Ledger, where: str) -> None:
        cut = any_cut(self._dice)
        image = self._folder / "image"
        lay_out(disk.image(cut), image)
        promises = deepcopy(ledger)
        wrong = runner.run(examine(image, promises))
        self._outcome.salvages += len(promises.before) > len(ledger.before)
        shutil.rmtree(image)
        self._outcome.cuts += 1
        if wrong:
            self._outcome.broken.append(f"seed {self._seed} {where} {cut}: {'; '.join(wrong[:MAX_SHOWN])}")

    def _cut_recovery(self, runner: asyncio.Runner, disk: Disk, ledger: Ledger, at: int, *, is_killed: bool) -> None:
        """Let the recorded process recover from a cut, or from its being killed, and cut the power meanwhile."""
        image = self._folder / "image"
        if is_killed:
            # the kernel lives on: what waited to be written still waits
            tree, disk, names = disk.killed()
        else:
            tree = disk.image(any_cut(self._dice))
            disk = Disk(self._dropped)
            names = disk.load(tree)
        lay_out(tree, image)
        image.mkdir(exist_ok=True)
        seed = self._dice.getrandbits(32)
        log = self._subject.run(image, self._folder / "log", seed, RECOVERY_STEPS, RECOVERY_KEY, 20)
        shutil.rmtree(image)
        ops = list(read_ops(log, names))
        self._outcome.syncs.update(op.label for op in ops if op.kind is Kind.SYNC)
        chosen = self._choose(ops, CUTS_A_RECOVERY)
        for point, later_disk, later in self._walk(ops, disk, deepcopy(ledger), chosen):
            before = self._outcome.cuts
            how = "killed" if is_killed else "cut"
            self._examine(runner, later_disk, later, f"{how} at {at}, point {point} of the recovery")
            self._outcome.recovery_cuts += self._outcome.cuts - before


def run_seed(seed: int, points: int, recoveries: int) -> Outcome:
    """Record and cut one run; for worker processes."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    subject = Subject()
    try:
        return Run(seed, subject).cut(points, recoveries)
    finally:
        subject.close()


def find_violation(dropped: str, seeds: Iterable[int], points: int, recoveries: int, *arguments: str) -> Outcome:
    """Take a class of syncs away and cut until a promise is broken.

    Args:
        dropped: pattern of the labels of these syncs, empty for none.
        seeds: of runs; the search ends with the first broken promise.
        points: a run.
        recoveries: a run.
        arguments: of the recorded process.
    """
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    total = Outcome()
    subject = Subject(*arguments)
    try:
        for seed in seeds:
            total.add(Run(seed, subject, dropped).cut(points, recoveries, enough=1))
            if total.broken:
                break
    finally:
        subject.close()
    return total
