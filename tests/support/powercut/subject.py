"""The recorded process: under LD_PRELOAD of the recorder it runs workloads and recoveries, one for each line it reads.

A line in: JSON with ``folder``, ``log``, ``seed``, ``steps``, ``first_key``, ``checkpoint_pages``. A line out when it
is done. An argument ``synchronous=OFF`` takes away every sync that SQLite does (mutation proof).
"""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from tests.support.powercut.recording import Recorder, build_recorder
from tests.support.powercut.workload import Workload

ANSWER_TIMEOUT_S = 120
CARELESS = "synchronous=OFF"
_REAL_CONNECT = sqlite3.connect


class Connection(sqlite3.Connection):
    """Checkpoints sooner than an outbox of gigabytes, so that a small one sees many."""

    checkpoint_pages = 1000
    is_careless = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Execute, with the pragmas changed as told."""
        if self.is_careless:
            sql = re.sub(r"(?i)(synchronous\s*=\s*)\w+", r"\1OFF", sql)
        sql = re.sub(r"(wal_autocheckpoint\s*=\s*)\d+", rf"\g<1>{self.checkpoint_pages}", sql)
        return super().execute(sql, *parameters)


def main() -> None:
    """Serve until the input ends."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    Connection.is_careless = CARELESS in sys.argv[1:]
    sqlite3.connect = partial(_REAL_CONNECT, factory=Connection)  # type: ignore[assignment]
    recorder = Recorder()
    for line in sys.stdin:
        order = json.loads(line)
        Connection.checkpoint_pages = order["checkpoint_pages"]
        folder = Path(order["folder"])
        recorder.begin(folder, Path(order["log"]))
        try:
            asyncio.run(Workload(folder, recorder.mark, order["seed"], order["first_key"]).run(order["steps"]))
        finally:
            recorder.end()
        sys.stdout.write("done\n")
        sys.stdout.flush()


class Subject:
    """Handle of such a process."""

    def __init__(self, *arguments: str) -> None:
        environment = os.environ | {"LD_PRELOAD": str(build_recorder())}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.powercut.subject", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip

    def run(self, folder: Path, log: Path, seed: int, steps: int, first_key: int, checkpoint_pages: int) -> bytes:
        """Run a workload on a folder and return the log of it.

        Raises:
            RuntimeError: it failed; why is on stderr.
        """
        order = {"folder": str(folder), "log": str(log), "seed": seed, "steps": steps, "first_key": first_key}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order | {"checkpoint_pages": checkpoint_pages}) + "\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            raise RuntimeError("the recorded process failed")
        return log.read_bytes()

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=ANSWER_TIMEOUT_S)


if __name__ == "__main__":
    main()
