"""The real outbox with its threads never started, and its disk one that fails when it is told to.

Jobs are done where they are asked for, so that a schedule means the same each time it is replayed.
"""

import secrets
import sqlite3
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, TypeVar
from unittest import mock

from gateway.outbox.desk import Desk
from gateway.outbox.job import Job
from gateway.outbox.ring_note import RingNote
from gateway.outbox.writer import Writer

FAULTS = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)

Result = TypeVar("Result")
REAL_CONNECT = sqlite3.connect


class FaultyConnection(sqlite3.Connection):
    """Fails like a disk, while told to: from the n-th statement that writes on."""

    fault = 0
    after = 0

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Execute or fail."""
        kind = FaultyConnection
        if kind.fault and not sql.startswith(("SELECT", "PRAGMA", "ROLLBACK")):
            if kind.after <= 0:
                error = sqlite3.OperationalError("the disk fails")
                error.sqlite_errorcode = kind.fault
                raise error
            kind.after -= 1
        return super().execute(sql, *parameters)


def _connect(path: Any, *args: Any, **options: Any) -> sqlite3.Connection:
    factory = sqlite3.Connection if path == ":memory:" else FaultyConnection
    db: sqlite3.Connection = REAL_CONNECT(path, *args, factory=factory, **options)
    return db


async def _do_at_once(desk: Desk, job: Job[Result], *, is_in_line: bool = False) -> Result:
    del is_in_line  # one thing at a time: nobody waits in line
    desk.writer._commit([job])
    return job.future.result(timeout=0)


async def _close_at_once(desk: Desk, last: Job[Result]) -> None:
    try:
        await _do_at_once(desk, last)
    finally:
        if desk.writer._db is not None:
            desk.writer._db.close()
        desk.writer.custody.close()


def now(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise AssertionError("it waits for something")


def take_threads_away(patch: Callable[[Any, str, object], None]) -> None:
    """Put what is done at once in the place of what a thread does.

    Args:
        patch: puts something in the place of (target, name).
    """
    patch(sqlite3, "connect", _connect)
    # ids of stores by turn: damage at a byte must mean the same at every replay of a schedule
    patch(secrets, "token_hex", mock.Mock(side_effect=(f"{n:016x}" for n in count(1))))
    patch(Writer, "start", lambda writer: writer._commit([]))
    patch(Desk, "do", _do_at_once)
    patch(Desk, "close", _close_at_once)
    patch(RingNote, "write", lambda note, numbers: note._file.write({**note.left, **numbers}))
