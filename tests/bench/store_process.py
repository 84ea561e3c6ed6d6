"""Starts workers of ``tests.bench.store_worker`` and has them commit together."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from tests.bench.store_worker import Run
from tests.support.processes import ROOT


class Worker:
    """One worker process."""

    def __init__(self, config: Path, number: int, log: Path) -> None:
        with log.open("ab") as sink:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.store_worker", str(config), str(number)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink, cwd=ROOT, text=True,
            )  # fmt: skip
        self._log = log
        self._expect("ready")

    def prepare(self, records: int) -> None:
        """Have batches of so many records made."""
        self._say(str(records))
        self._expect("steady")

    def go(self) -> None:
        """Let it commit them."""
        self._say("go")

    def result(self) -> Run:
        """Wait for the end of it."""
        return msgspec.json.decode(self._line(), type=Run)

    def end(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _say(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{line}\n")
        self._child.stdin.flush()

    def _line(self) -> str:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        assert line, f"a worker ended: {self._log.read_text()[-3000:]}"
        return line

    def _expect(self, word: str) -> None:
        line = self._line().strip()
        assert line == word, line


@contextmanager
def running_workers(config: Path, numbers: Sequence[int]) -> Iterator[list[Worker]]:
    """Run workers until the block ends."""
    with ExitStack() as ending:
        workers = []
        for number in numbers:
            worker = Worker(config, number, config.with_name(f"worker-{number}.log"))
            ending.callback(worker.end)
            workers.append(worker)
        yield workers


def together(workers: Sequence[Worker], records: int) -> tuple[float, float]:
    """Have each worker commit so many records at the same time.

    Returns:
        Records a second of all together, by the slowest; and CPU seconds of the workers a record.
    """
    for worker in workers:
        worker.prepare(records)
    for worker in workers:
        worker.go()
    runs = [worker.result() for worker in workers]
    total = sum(run.records for run in runs)
    return total / max(run.took_s for run in runs), sum(run.cpu_s for run in runs) / total
