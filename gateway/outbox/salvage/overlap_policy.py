"""Makes batches of one stream that overlap into batches that do not, without losing a record. Sans-io.

Overlaps come from pages that were written anew: the parts of a batch beside the whole, a batch beside the gap that took
its place. A record is preferred to a gap; of two records of one number the newer is taken, though they are the same.
"""

from contracts.batch import Batch
from contracts.limits import MAX_BATCH_RECORDS
from contracts.payloads import Gap
from contracts.records import Record
from gateway.outbox.gaps import gap_record
from gateway.outbox.salvage.ranges import subtract

PIECE_RECORDS = MAX_BATCH_RECORDS // 2
"""Records a piece: half of what is allowed, so that records which hardly compress stay below the cap of bytes."""


def merge(newer: Batch, older: Batch) -> list[Batch]:
    """Return batches that tile the union of two that overlap or touch."""
    kept: dict[int, Record] = {}
    gaps: list[Record] = []
    for batch in (older, newer):
        kept.update({item.seq: item for item in batch.records if not isinstance(item.payload, Gap)})
        gaps += [item for item in batch.records if isinstance(item.payload, Gap)]
    first, last = min(newer.first_seq, older.first_seq), max(newer.last_seq, older.last_seq)
    records = list(kept.values())
    for begin, end in subtract([(first, last)], ((seq, seq) for seq in kept)):
        # the newest gap that begins the hole gives it its reason and time
        like = next(item for item in reversed(gaps) if item.seq <= begin <= item.last_seq())
        reason = like.payload.reason if isinstance(like.payload, Gap) else ""
        records.append(gap_record(begin, end, reason, like))
    records.sort(key=lambda item: item.seq)
    pieces = (records[at : at + PIECE_RECORDS] for at in range(0, len(records), PIECE_RECORDS))
    return [
        Batch(
            stream_id=newer.stream_id,
            record_class=newer.record_class,
            first_seq=piece[0].seq,
            last_seq=piece[-1].last_seq(),
            records=piece,
        )
        for piece in pieces
    ]
