"""The one thread that owns the outbox database.

Writes are gathered for at most ``group_commit_s`` and committed together, an urgent one commits at once; a caller's
future is set only after the commit (``synchronous=FULL``: after the fsync). A failed commit fails every write of its
group, so that drivers keep what they hold; nothing here ends the thread, because the gateway must survive its disk.
One file because gathering, committing and what a failed commit does to its callers are one order of events.
"""

import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import structlog

from contracts.errors import IntegrityError, LinkError, PortTrackError
from gateway.counters import Counters
from gateway.outbox.custody import Custody
from gateway.outbox.database import is_damage, repack
from gateway.outbox.job import Job
from gateway.outbox.migration import migrate
from gateway.outbox.packing import BatchRow
from gateway.outbox.parts import Parts
from gateway.outbox.ports import OutboxClock
from gateway.outbox.pressure import Limits
from gateway.outbox.quarantine import Quarantine
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.store import Store
from gateway.outbox.withdrawing import Placed

MAX_GROUP = 512
"""Writes a transaction: 16 of each of 32 drivers; half the cap of the facade, so that a stream of them cannot put off
the commit."""
ENOUGH_BYTES = 64 * 1024
"""Records (as JSON) that make a group worth its commit: the ten pages that a commit costs are a sixth of them, so that
waiting for more would save nothing and hold up a driver that catches up."""
MAX_GROUP_BYTES = 1024 * 1024
"""Records a transaction: bounds its memory and the wait of an alarm behind it."""
DUTY_INTERVAL_S = 1.0
"""Longest sleep: what is too old is looked for, and a database that could not be opened is tried again, this often."""
ROOM_BYTES = 16 * 1024**2
"""Free space at which no disk is full for one transaction."""
FATE_TIMEOUT_S = 2.0
"""Wait for memory to say whether it holds what was given up: it commits within a quarter of a second."""

log = structlog.get_logger()


@dataclass(slots=True)
class WriterReport:
    """What the thread tells about itself; single assignments, read by other threads.

    Attributes:
        trouble: why the last write failed; empty if it did not.
        is_open: the database was opened.
        busy_since: monotonic time at which the transaction under way began, s; None between two.
    """

    trouble: str = ""
    is_open: bool = False
    busy_since: float | None = None


class Writer:
    """The thread and its queue. The facade bounds the queue; see ``Outbox``."""

    def __init__(
        self,
        path: Path,
        owner: tuple[str, str],
        sealing: SealingPolicy,
        limits: Limits,
        group_commit_s: float,
        clock: OutboxClock,
        counters: Counters,
        parts: Parts | None = None,
    ) -> None:
        if parts is None:
            quarantine = Quarantine(path.with_name("outbox.quarantine"))
            parts = Parts(Custody(path, owner, counters), quarantine, "outbox-writer")
        self._path = path
        self._owner = owner
        self._sealing = sealing
        self._limits = limits
        self._group_commit_s = group_commit_s
        self._clock = clock
        self._counters = counters
        self._jobs: queue.SimpleQueue[Job[Any]] = queue.SimpleQueue()
        self._db: sqlite3.Connection | None = None
        self._store: Store | None = None
        self._is_stale = False
        self._is_full_looked_at = False
        self._quarantine = parts.quarantine
        self.custody = parts.custody
        self._thread = threading.Thread(target=self._run, name=parts.thread_name, daemon=True)
        self.report = WriterReport()
        self.on_sealed: Callable[[], None] = lambda: None
        self.on_open: Callable[[Store], None] = lambda _: None
        """Called on the thread, in a transaction of its own, whenever the database was opened."""
        self.on_greeted: Callable[[sqlite3.Connection], None] = lambda _: None
        """Called on the thread when that transaction is on the disk."""
        self.amend: Callable[[BatchRow], bytes] = attrgetter("data")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, job: Job[Any]) -> None:
        """Hand over a job; its future is set by the thread."""
        self._jobs.put(job)

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the thread; False if it is stuck in the disk."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._commit([])
        while True:
            job = self._take(self._idle_s())
            group = self._gather(job) if job is not None and job.is_write else [job] if job is not None else []
            self._commit(group)
            if any(item.is_last for item in group):
                break
        if self._db is not None:
            self._db.close()
        self.custody.close()

    def _idle_s(self) -> float:
        wake_at = self._sealing.wake_at() if self._store is not None else None
        if wake_at is None or self._is_stale:
            return DUTY_INTERVAL_S
        return min(DUTY_INTERVAL_S, max(0.0, wake_at - self._clock.mono_s()))

    def _take(self, timeout_s: float) -> Job[Any] | None:
        try:
            return self._jobs.get(timeout=timeout_s) if timeout_s > 0 else self._jobs.get_nowait()
        except queue.Empty:
            return None

    def _gather(self, first: Job[Any]) -> list[Job[Any]]:
        """Wait for more writes to share the commit with; reads in between are answered at once."""
        group = [first]
        size_bytes = first.size_bytes
        deadline = self._clock.mono_s() + self._group_commit_s
        while not group[-1].is_last and len(group) < MAX_GROUP and size_bytes < MAX_GROUP_BYTES:
            is_ready = size_bytes >= ENOUGH_BYTES or any(job.is_urgent for job in group)
            job = self._take(0.0 if is_ready else deadline - self._clock.mono_s())
            if job is None:
                break
            if job.is_write:
                group.append(job)
                size_bytes += job.size_bytes
            else:
                self._commit([job])
        return group

    def _commit(self, jobs: list[Job[Any]]) -> None:
        """Do the jobs in one transaction and tell their callers; never raises."""
        self.report.busy_since = self._clock.mono_s()
        self._attempt_commit(jobs)
        self.report.busy_since = None

    def _attempt_commit(self, jobs: list[Job[Any]]) -> None:
        jobs = [job for job in jobs if job.future.running() or job.future.set_running_or_notify_cancel()]
        # reads and receipts must go on while a full disk refuses to take more: they are what empties it
        is_housekeeping = not jobs or any(job.is_append for job in jobs)
        try:
            store, db = self._opened()
            made, outcomes = self._transact(store, db, jobs, is_housekeeping=is_housekeeping)
        except (sqlite3.Error, OSError, PortTrackError) as exc:
            self._failed(exc, jobs)
            return
        except Exception as exc:  # noqa: BLE001 - a bug belongs to its caller: it must not take the writer with it
            self._spoilt(exc, jobs)
            return
        placed = store.placed()
        store.committed(self._clock.mono_s())
        self.custody.committed(store)
        if late := [job for job in jobs if not job.end() and job.is_append]:
            made += self._landed_late(store, db, jobs, late, placed)
        if self.report.trouble and any(job.is_append for job in jobs):
            log.info("outbox_recovered")
            self.report.trouble = ""
        for job, (is_done, value) in zip(jobs, outcomes, strict=True):
            if is_done:
                job.future.set_result(value)
            else:
                job.future.set_exception(value)
        if made:
            self.on_sealed()

    def _transact(
        self, store: Store, db: sqlite3.Connection, jobs: list[Job[Any]], *, is_housekeeping: bool
    ) -> tuple[int, list[tuple[bool, Any]]]:
        db.execute("BEGIN IMMEDIATE")
        outcomes = [_attempt(store, job) for job in jobs]
        now = self._clock.mono_s()
        made = store.flush(now)
        if is_housekeeping:
            self.custody.scrub(store, now, self._clock.wall_ns())
            made += store.flush(now) if store.relieve() else 0
        if any(job.is_append and job.is_given_up for job in jobs):
            raise LinkError("commit", str(self._path), "the disk answered too late", "", "disk")
        db.execute("COMMIT")
        if store.take_shrunk():
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return made, outcomes

    def _landed_late(
        self, store: Store, db: sqlite3.Connection, jobs: list[Job[Any]], late: list[Job[Any]], placed: Placed
    ) -> int:
        """Take back what was given to memory while the disk hung; returns the number of batches made."""
        self._counters.add("appends_landed_late", len(late))
        appends = [job for job in jobs if job.is_append]
        if len(late) < len(appends) or not all(_is_kept_elsewhere(job) for job in late):
            return 0  # not told apart any more: they stay, and travel twice, which is counted when memory moves
        now = self._clock.mono_s()
        try:
            db.execute("BEGIN IMMEDIATE")
            taken = store.withdraw(placed)
            made = store.flush(now)
            db.execute("COMMIT")
        except (sqlite3.Error, OSError, PortTrackError) as exc:
            self._failed(exc, [])
            return 0
        store.committed(now)
        self.custody.committed(store)
        log.info("outbox_landed_late", appends=len(late), records_taken_back=taken)
        return max(made, int(taken > 0))

    def _spoilt(self, error: Exception, jobs: list[Job[Any]]) -> None:
        """Undo a transaction that a bug has spoilt; of several jobs the others are done again, each by itself."""
        self._roll_back(error)
        for job in jobs if len(jobs) > 1 else []:
            self._commit([job])
        if len(jobs) == 1:
            jobs[0].future.set_exception(error)
        elif not jobs:
            log.error("outbox_duty_failed", cause=repr(error))

    def _opened(self) -> tuple[Store, sqlite3.Connection]:
        if self._store is not None and self._db is not None:
            if self._is_stale:
                self._reload(self._store)
            return self._store, self._db
        db = self.custody.open()
        try:
            migrate(db, self._owner, self._quarantine)
            repack(db)
            store = Store(db, self._owner, self._sealing, self._limits, self._quarantine, self._counters, self.amend)
            store.reload(self._clock.mono_s())
            self.custody.check(store, db, self._clock.wall_ns())
            self._greet(store, db)
        except BaseException as exc:
            if cause := damage_told_by(exc):
                self.custody.replace(db, cause)
            else:
                db.close()
            raise
        self._db, self._store, self._is_stale = db, store, False
        self._is_full_looked_at = False
        self.report.is_open = True
        return store, db

    def _greet(self, store: Store, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        self.on_open(store)
        store.flush(self._clock.mono_s())
        db.execute("COMMIT")
        store.committed(self._clock.mono_s())
        self.custody.committed(store)
        self.on_greeted(db)

    def _failed(self, error: Exception, jobs: list[Job[Any]]) -> None:
        self._counters.add("commit_failures")
        cause = error.cause if isinstance(error, PortTrackError) else str(error)
        if not self.report.trouble:
            log.warning("outbox_trouble", cause=cause, path=str(self._path))
        self.report.trouble = cause or type(error).__name__
        self._roll_back(error)
        others = [job for job in jobs if not job.is_append]
        if others and len(others) < len(jobs):
            self._commit(others)
            jobs = [job for job in jobs if job.is_append]
        hint = "check free space and health of the disk; drivers keep their records meanwhile"
        failure = LinkError("commit", str(self._path), cause, hint, "disk")
        for job in jobs:
            job.future.set_exception(failure)

    def _roll_back(self, error: Exception) -> None:
        if self._db is None:
            return
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if self._store is not None:
                self._reload(self._store)
        except Exception as exc:  # noqa: BLE001 - it must not take the writer with it: the next transaction reads anew
            error = exc
        if cause := damage_told_by(error) or self._damage_behind_full(error):
            db, self._db, self._store = self._db, None, None
            self.custody.replace(db, cause)

    def _damage_behind_full(self, error: Exception) -> str:
        """Return what is damaged where SQLite calls a disk full that has room: a page points far behind the end.

        Looked for once after each opening: it reads the whole database.
        """
        is_full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        if self._db is None or not is_full or self._is_full_looked_at:
            return ""
        try:
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < ROOM_BYTES:
                return ""
            self._is_full_looked_at = True
            answer = str(self._db.execute("PRAGMA quick_check(1)").fetchone()[0])
        except (OSError, sqlite3.Error) as exc:
            return damage_told_by(exc)
        return "" if answer == "ok" else answer

    def _reload(self, store: Store) -> None:
        """Read anew what the store holds in memory; nothing is done with it before that has been possible."""
        self._is_stale = True
        store.reload(self._clock.mono_s())
        self._is_stale = False


def _is_kept_elsewhere(job: Job[Any]) -> bool:
    try:
        return job.fate is not None and job.fate.result(FATE_TIMEOUT_S)
    except TimeoutError:
        return False


def _attempt(store: Store, job: Job[Any]) -> tuple[bool, Any]:
    try:
        return True, job.run(store)
    except IntegrityError:
        raise
    except PortTrackError as exc:
        return False, exc


def damage_told_by(error: BaseException) -> str:
    """Return what an error says of damage to the database, empty if it says none."""
    if isinstance(error, IntegrityError):
        return error.cause
    return str(error) if isinstance(error, (sqlite3.Error, UnicodeDecodeError)) and is_damage(error) else ""
