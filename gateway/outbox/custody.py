"""Keeps the database what was written: opens it whatever state it is in, marks how far it is, scrubs it, tells damage.

On the writer thread; ``damages`` is taken by another.
"""

import sqlite3
from pathlib import Path

import structlog

from contracts.errors import IntegrityError
from gateway.counters import Counters
from gateway.outbox import database
from gateway.outbox.mark_file import MarkFile, mark_path
from gateway.outbox.salvage import ranges, set_aside
from gateway.outbox.salvage.closing import close_as_it_lies
from gateway.outbox.salvage.inspection import Finding
from gateway.outbox.salvage.models import Damage
from gateway.outbox.salvage.opening import open_outbox, replace_damaged
from gateway.outbox.store import Store

SCRUB_INTERVAL_S = 1.0
"""A step of the scrub this often; see ``scrub`` for what a step reads."""
SCRUB_REST_S = 3600.0
"""From the end of a pass to the next: a small database is not read all day."""
COMMITS_TO_TELL = 3
"""Commits after a report was taken until it counts as told: its record is in one of them."""
MAX_DAMAGES = 64
"""Reports that wait to be told; the reporter takes them every second. Beyond it they are in the log only, counted."""

log = structlog.get_logger()


class Custody:
    """See the module.

    Args:
        path: database file.
        owner: site id and gateway id.
        counters: where damage is counted.

    Attributes:
        damages: what was found and is not taken yet.
    """

    def __init__(self, path: Path, owner: tuple[str, str], counters: Counters) -> None:
        self._path = path
        self._owner = owner
        self._counters = counters
        self._mark = MarkFile(mark_path(path))
        self._scrub_at = 0.0
        self._doubt: sqlite3.Error | IntegrityError | None = None
        self._untold: dict[str, int] = {}
        self.damages: list[Damage] = []

    def open(self) -> sqlite3.Connection:
        """Open the database; see ``open_outbox``."""
        db, damages = open_outbox(self._path, self._owner)
        for damage in damages:
            self._note_salvage(damage)
        return db

    def check(self, store: Store, db: sqlite3.Connection, now_ns: int) -> None:
        """Check every batch of a small database that was just opened; a large one is left to the scrub.

        Raises:
            IntegrityError: more than single batches is damaged.
            sqlite3.Error: SQLite found damage itself, or cannot write now.
        """
        if self._path.stat().st_size > database.FULL_CHECK_MAX_BYTES:
            return
        db.execute("BEGIN IMMEDIATE")
        try:
            store.scrub.whole(now_ns)
            store.flush(0.0)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self._note_batches(store)

    def scrub(self, store: Store, now: float, now_ns: int) -> None:
        """Check a little, when its time has come, and tell what the mark ran into; inside a transaction.

        Raises:
            IntegrityError: more than single batches is damaged.
            sqlite3.Error: SQLite found damage itself, or cannot read now.
        """
        doubt, self._doubt = self._doubt, None
        if doubt is not None:
            raise doubt
        if now >= self._scrub_at:
            is_done = store.scrub.step(now_ns)
            self._scrub_at = now + (SCRUB_REST_S if is_done else SCRUB_INTERVAL_S)

    def committed(self, store: Store) -> None:
        """Mark how far the database is, and tell what its last transaction found damaged; never raises.

        The transaction is on disk, and its callers wait for their answer. What is found wrong here is for the next one.
        """
        try:
            numbers = store.numbers()
        except sqlite3.Error as exc:
            # a mark that stays behind does no harm, and no reason to refuse the next transaction
            self._counters.add("marks_unread")
            self._doubt = exc if database.is_damage(exc) else None
        except (TypeError, ValueError) as exc:
            self._doubt = IntegrityError("mark outbox", str(self._path), str(exc), "", "damaged")
        else:
            self._mark.write(numbers)
        self._note_batches(store)
        if self._untold and not self.damages:
            self._count_as_told()

    def replace(self, db: sqlite3.Connection, cause: str) -> None:
        """Close the database and salvage it while the gateway runs; ``open`` comes next and tells.

        If the disk does not take it now, that opening begins again.
        """
        self._mark.close()
        committed_frames = close_as_it_lies(db, self._path)
        try:
            replace_damaged(self._path, self._owner, Finding(cause, committed_frames))
        except Exception as exc:  # noqa: BLE001 - it must not take the writer with it; the opening runs into it again
            log.warning("outbox_not_salvaged", path=str(self._path), cause=str(exc))

    def close(self) -> None:
        """Close the mark."""
        self._mark.close()

    def _note_batches(self, store: Store) -> None:
        found = store.take_damaged()
        if found:
            lost = {name: [(a, b) for stream_id, a, b in found if stream_id == name] for name, _, _ in found}
            cause = "batches are not what was written; they are kept in the side file"
            self._note(
                Damage(
                    file=f"{self._path.stem}.quarantine",
                    cause=cause,
                    lost=lost,
                    declared=lost,
                    saved_batches=0,
                    saved_records=0,
                )
            )

    def _count_as_told(self) -> None:
        """Note that reports were told, once enough was committed since they were taken: they went into the outbox."""
        for file in list(self._untold):
            self._untold[file] += 1
            if self._untold[file] < COMMITS_TO_TELL:
                continue
            del self._untold[file]
            try:
                set_aside.tell(self._path, file)
            except OSError as exc:
                log.warning("outbox_report_kept", file=file, cause=exc.strerror or str(exc))

    def _note_salvage(self, damage: Damage) -> None:
        if damage.file in self._untold:
            return
        self._untold[damage.file] = 0
        self._counters.add("databases_set_aside")
        lost = {stream_id: ranges.text(lost) for stream_id, lost in damage.lost.items()}
        log.error(
            "outbox_set_aside", file=damage.file, cause=damage.cause, lost=lost, lost_records=damage.lost_records,
            saved_batches=damage.saved_batches, saved_records=damage.saved_records, left_batches=damage.left_batches,
        )  # fmt: skip
        self._note(damage)

    def _note(self, damage: Damage) -> None:
        if len(self.damages) >= MAX_DAMAGES:
            self._counters.add("damages_untold")
            return
        self.damages.append(damage)
