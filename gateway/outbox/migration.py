"""Moves what a database of version 1 held into the tables of version 2, a part at a time.

Each part is one transaction that writes rows and takes them out of the old table, so that a cut at any moment leaves
every record in exactly one of the two, and the next start goes on. A large backlog needs no second disk: the pages
that the old rows leave are taken by the new.
"""

import sqlite3
from collections.abc import Callable

import msgspec
import structlog

from contracts.codec import digest
from contracts.limits import MAX_BATCH_RECORDS
from contracts.payloads import Gap
from contracts.records import Clock, ClockState, Observation, Record, RecordClass
from gateway.outbox import packing
from gateway.outbox.gaps import GATEWAY_SOURCE
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow, Tail
from gateway.outbox.quarantine import SetAside
from gateway.outbox.shelf import Shelf, SideFile
from gateway.outbox.streams import Stream

PART_BATCHES = 200
"""Batches moved in one transaction: about 2 MB, a second on a slow card."""

log = structlog.get_logger()


def migrate(db: sqlite3.Connection, owner: tuple[str, str], quarantine: SideFile) -> None:
    """Move everything that still lies in the tables of version 1, then drop them; does nothing without them.

    Raises:
        sqlite3.Error: the database cannot be written now; what was moved stays moved.
        OSError: the side file cannot be written now.
    """
    if not _is_waiting(db):
        return
    batches, records = _count(db, "old_batches"), _count(db, "old_pending")
    is_new = not _count(db, "old_streams")
    if not is_new:
        log.info("outbox_migration_begins", batches=batches, pending_records=records)
    moves = _Moves(db, owner, quarantine)
    for move in (moves.streams, moves.batches, moves.pending, moves.set_aside):
        while _in_transaction(db, moves, move):
            pass
    db.execute("BEGIN IMMEDIATE")
    for table in ("old_batches", "old_pending", "old_quarantine", "old_streams"):
        db.execute(f"DROP TABLE {table}")
    db.execute("COMMIT")
    if not is_new:
        log.info("outbox_migrated")


def _is_waiting(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'old_streams'").fetchone() is not None


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - literals


def _in_transaction(db: sqlite3.Connection, moves: "_Moves", move: Callable[[], bool]) -> bool:
    db.execute("BEGIN IMMEDIATE")
    try:
        is_more = move()
        moves.shelf.streams.write()
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return is_more


class _Moves:
    """The parts; each returns whether there may be more of its kind."""

    def __init__(self, db: sqlite3.Connection, owner: tuple[str, str], quarantine: SideFile) -> None:
        self._db = db
        self._quarantine = quarantine
        self.shelf = Shelf(db, owner, quarantine)
        self.shelf.streams.load()

    def streams(self) -> bool:
        for name, next_seq in self._db.execute("SELECT class, next_seq FROM old_streams").fetchall():
            stream = self._stream(name)
            stream.next_seq = max(stream.next_seq, next_seq)
            stream.is_changed = True
        return False

    def batches(self) -> bool:
        rows = self._db.execute(
            "SELECT class, first_seq, last_seq, is_gap, is_time_known, oldest_at_ns, oldest_mono_ns, boot_id, digest, "
            "data, id FROM old_batches ORDER BY id LIMIT ?",
            (PART_BATCHES,),
        ).fetchall()
        for name, first, last, is_gap, is_known, at_ns, mono_ns, boot_id, name_of_data, data, batch_id in rows:
            stream = self._stream(name)
            row = BatchRow(
                stream.key, stream.stream_id, first, last, False, Content.GAPS if is_gap else Content.RECORDS,
                bool(is_known), at_ns, mono_ns, boot_id, packing.crc_of(stream.stream_id, first, last, data), data,
            )  # fmt: skip
            if digest(data) != name_of_data:
                self._keep(stream, first, last, packing.REASON_DAMAGED, 0, data)
                row = packing.pack_gap(row, packing.REASON_DAMAGED)
            self.shelf.add(stream, row)
            self._db.execute("DELETE FROM old_batches WHERE id = ?", (batch_id,))
        return bool(rows)

    def pending(self) -> bool:
        first = self._db.execute("SELECT class, seq FROM old_pending ORDER BY class, seq LIMIT 1").fetchone()
        if first is None:
            return False
        stream = self._stream(first[0])
        tail = Tail(first[1])
        rows = self._db.execute(
            "SELECT seq, data FROM old_pending WHERE class = ? ORDER BY seq LIMIT ?", (first[0], MAX_BATCH_RECORDS)
        )
        for seq, data in rows:
            if seq != tail.next_seq or tail.is_full():
                break
            item = _observation(data, seq)
            tail.add(item, msgspec.json.encode(item), GATEWAY_SOURCE)
        for row in tail.pack(stream.key, stream.stream_id, is_open=False):
            self.shelf.add(stream, row)
        self._db.execute("DELETE FROM old_pending WHERE class = ? AND seq < ?", (first[0], tail.next_seq))
        return True

    def set_aside(self) -> bool:
        row = self._db.execute(
            "SELECT id, class, first_seq, last_seq, is_declared, reason, set_aside_at_ns, data FROM old_quarantine "
            "ORDER BY id LIMIT 1"
        ).fetchone()
        if row is None:
            return False
        number, name, first, last, is_declared, reason, at_ns, data = row
        stream = self._stream(name)
        self._keep(stream, first, last, reason, at_ns, data)
        if not is_declared:
            declaration = packing.pack_declaration(stream.key, stream.stream_id, first, last, packing.REASON_REFUSED)
            self.shelf.add(stream, declaration)
        self._db.execute("DELETE FROM old_quarantine WHERE id = ?", (number,))
        return True

    def _stream(self, name: str) -> Stream:
        return self.shelf.streams.current(RecordClass(name))

    def _keep(self, stream: Stream, first: int, last: int, reason: str, at_ns: int, data: bytes) -> None:
        self._quarantine.put(SetAside(stream.stream_id, first, last, reason, at_ns, data))


def _observation(data: bytes, seq: int) -> Observation:
    """Return a pending record without its number; one that is not what was written becomes a gap."""
    try:
        record = msgspec.json.decode(data, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        record = None
    if record is None or record.seq != seq:
        gap = Gap(first_seq=seq, last_seq=seq, reason=packing.REASON_DAMAGED)
        return Observation(0, Clock(ClockState.UNSYNCED), 0, "", GATEWAY_SOURCE, gap)
    return Observation(**{name: getattr(record, name) for name in Observation.__struct_fields__})
