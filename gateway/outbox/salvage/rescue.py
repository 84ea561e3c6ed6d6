"""Makes a new database out of what is left of a damaged one. On the writer thread, with nothing written meanwhile.

The new database has a new store id: numbers of the old one are never given out again, and what was saved goes up under
the streams that it always had. What the old streams are known to have given out and is not here is declared a gap.
"""

import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from contracts.records import RecordClass
from gateway.outbox import tables
from gateway.outbox.database import open_database
from gateway.outbox.mark import Mark
from gateway.outbox.models import URGENT_CLASSES
from gateway.outbox.salvage import set_aside
from gateway.outbox.salvage.accounting_policy import Balance, balance
from gateway.outbox.salvage.carving import Carver
from gateway.outbox.salvage.evidence import Witness
from gateway.outbox.salvage.images import Images
from gateway.outbox.salvage.layout import HEADER_BYTES, header_page_size
from gateway.outbox.salvage.models import Damage
from gateway.outbox.salvage.pending import pending_batches
from gateway.outbox.salvage.ranges import Range, total
from gateway.outbox.salvage.sources import Source
from gateway.outbox.salvage.stowing import Stower
from gateway.outbox.salvage.wal import read_log

FREE_SHARE = 0.1
"""Share of the disk that stays free, as everywhere in the outbox."""
PROGRESS_S = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be salvaged.

    Attributes:
        path: the database.
        owner: site id and gateway id.
        cause: what was found wrong.
        mark: how far its streams had come.
        committed_frames: frames of the log that had been committed, None where that is not known; see ``Finding``.
    """

    path: Path
    owner: tuple[str, str]
    cause: str
    mark: Mark
    committed_frames: int | None


def salvage(case: Case) -> None:
    """Make the new database and say that it is complete; ``set_aside.finish`` puts it in place.

    Raises:
        OSError: a file cannot be read or written now; nothing has changed.
        sqlite3.Error: the new database cannot be written now; nothing has changed.
    """
    path = case.path
    with Source(path) as main, Source(path.with_name(path.name + "-wal")) as wal:
        read = read_log(wal.read, wal.size, header_page_size(main.read(0, HEADER_BYTES)))
        images = Images(main.read, main.size, read, wal.read, case.committed_frames)
        log.warning("outbox_salvage_begins", path=str(path), cause=case.cause, size_bytes=images.size_bytes)
        set_aside.discard_target(path)
        db = open_database(set_aside.target_of(path))
        try:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            damage = _fill(db, case, images)
            db.execute("PRAGMA journal_mode = WAL")
        finally:
            db.close()
    set_aside.complete(path, damage)


def _fill(db: sqlite3.Connection, case: Case, images: Images) -> Damage:
    room_bytes = _room_bytes(case.path)
    stower = Stower(db, room_bytes)
    witness = Witness(images, case.owner)
    if images.size_bytes <= room_bytes:
        _carve(images, stower, witness, frozenset(RecordClass))
    else:
        # not everything may fit: what is most precious goes first
        _carve(images, stower, witness, URGENT_CLASSES)
        _carve(images, stower, None, frozenset(RecordClass) - URGENT_CLASSES)
    evidence = witness.finish()
    for found in pending_batches(evidence):
        stower.put(found)
    stower.part_overlaps()
    saved = stower.saved()
    count = db.execute("SELECT count(*) FROM batches").fetchone()[0]
    balances = balance(evidence, case.mark, saved)
    for item in balances:
        if item.declared:
            stower.declare(item.stream_id, item.declared)
    stower.finish({item.stream_id: item.next_seq for item in balances})
    db.execute("BEGIN IMMEDIATE")
    for run, last_no in evidence.runs.items():
        tables.remember_run(db, *run, last_no)
    db.execute("COMMIT")
    return _damage(case, balances, int(count), sum(map(total, saved.values())), stower.left_batches)


def _damage(case: Case, balances: list[Balance], batches: int, records: int, left: int) -> Damage:
    lost: dict[str, list[Range]] = {item.stream_id: item.lost for item in balances if item.lost}
    declared: dict[str, list[Range]] = {item.stream_id: item.declared for item in balances if item.declared}
    return Damage(
        file=set_aside.new_name(case.path),
        cause=case.cause,
        lost=lost,
        declared=declared,
        saved_batches=batches,
        saved_records=records,
        left_batches=left,
    )


def _carve(images: Images, stower: Stower, witness: Witness | None, classes: frozenset[RecordClass]) -> None:
    carver = Carver(images)
    batches = 0
    told_at = time.monotonic()
    for done, image in enumerate(images.all(), 1):
        if witness is not None:
            witness.take(image)
        for found, rowid in carver.batches(image):
            if found.batch.record_class in classes:
                stower.put(found, rowid)
                batches += 1
        if time.monotonic() - told_at >= PROGRESS_S:
            told_at = time.monotonic()
            share = min(1.0, done * images.page_size / images.size_bytes)
            log.info("outbox_salvage_goes_on", share=round(share, 3), batches=batches)


def _room_bytes(path: Path) -> int:
    usage = shutil.disk_usage(path.parent)
    return max(0, int(usage.free - usage.total * FREE_SHARE))
