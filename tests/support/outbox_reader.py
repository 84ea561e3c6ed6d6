"""Looks into a gateway's outbox from outside, read only, while the gateway writes it."""

import sqlite3
from pathlib import Path

import msgspec
import zstandard

from contracts.batch import Batch
from contracts.payloads import Gap
from contracts.records import Record

_RECORD = msgspec.json.Decoder(Record)
_BATCH = msgspec.json.Decoder(Batch)


def stored_records(database: Path, record_class: str) -> list[Record]:
    """Return what is on disk of a class, pending and sealed, in order, gaps left out; nothing before it exists."""
    if not database.exists():
        return []
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    try:
        sealed = db.execute("SELECT data FROM batches WHERE class = ?", (record_class,)).fetchall()
        pending = db.execute("SELECT data FROM pending WHERE class = ?", (record_class,)).fetchall()
    except sqlite3.OperationalError:
        return []  # its tables are not made yet
    finally:
        db.close()
    decompressor = zstandard.ZstdDecompressor()
    found = [_RECORD.decode(data) for (data,) in pending]
    for (data,) in sealed:
        found += _BATCH.decode(decompressor.decompressobj().decompress(data)).records
    records = {record.seq: record for record in found if not isinstance(record.payload, Gap)}
    return [records[seq] for seq in sorted(records)]
