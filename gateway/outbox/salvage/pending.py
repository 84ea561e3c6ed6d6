"""Records of a database of version 1 that no batch held yet, made batches. Sans-io."""

from collections.abc import Iterator

import msgspec

from contracts.batch import Batch
from contracts.codec import encode_batch
from contracts.records import Record, RecordClass
from gateway.outbox.salvage.carving import Found
from gateway.outbox.salvage.evidence import Evidence
from gateway.outbox.salvage.overlap_policy import PIECE_RECORDS


def pending_batches(evidence: Evidence) -> Iterator[Found]:
    """Give the records as batches; one that cannot be read, or whose stream is not known, is left out."""
    group: list[Record] = []
    name = ""
    for (at, seq), data in sorted(evidence.pending.items()):
        record = _decoded(data)
        if record is None or record.seq != seq or record.last_seq() != seq:
            continue
        is_next = at == name and bool(group) and group[-1].seq + 1 == seq and len(group) < PIECE_RECORDS
        if not is_next:
            yield from _batch(group, name, evidence)
            group, name = [], at
        group.append(record)
    yield from _batch(group, name, evidence)


def _decoded(data: bytes) -> Record | None:
    try:
        return msgspec.json.decode(data, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _batch(records: list[Record], name: str, evidence: Evidence) -> Iterator[Found]:
    row = evidence.streams.get(name)
    if not records or row is None:
        return
    batch = Batch(
        stream_id=row.stream_id,
        record_class=RecordClass(name),
        first_seq=records[0].seq,
        last_seq=records[-1].seq,
        records=records,
    )
    yield Found(batch, encode_batch(batch), len(records))
