"""Looks into a gateway's outbox from outside, read only, while the gateway writes it."""

import sqlite3
from pathlib import Path

import msgspec
import zstandard

from contracts.batch import Batch
from contracts.payloads import Gap
from contracts.records import Record

_BATCH = msgspec.json.Decoder(Batch)
_OF_CLASS = "SELECT data FROM batches JOIN streams ON streams.id = batches.stream WHERE streams.class = ?"


def stored_records(database: Path, record_class: str) -> list[Record]:
    """Return what is on disk of a class, open and sealed, in order, gaps left out; nothing before it exists."""
    if not database.exists():
        return []
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    try:
        batches = db.execute(_OF_CLASS, (record_class,)).fetchall()
    except sqlite3.OperationalError:
        return []  # its tables are not made yet
    finally:
        db.close()
    decompressor = zstandard.ZstdDecompressor()
    found = [
        record
        for (data,) in batches
        for record in _BATCH.decode(decompressor.decompressobj().decompress(data)).records
        if not isinstance(record.payload, Gap)
    ]
    return sorted(found, key=lambda record: record.seq)
