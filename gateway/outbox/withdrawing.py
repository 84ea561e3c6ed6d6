"""Takes back what a commit brought that nobody waited for any longer, because memory holds it.

A disk that hangs in a commit may still do it. The records of that commit were given to memory meanwhile, and travel
under its streams; what lies on the disk is then their double. Its numbers are declared, so that no hole is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from contracts.codec import decode_batch
from contracts.payloads import REASON_KEPT_ELSEWHERE
from gateway.outbox import moving_rows, packing, tables
from gateway.outbox.gaps import gap_record
from gateway.outbox.packing import BatchRow
from gateway.outbox.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Placed:
    """What one transaction has placed.

    Attributes:
        ranges: (first, last) number by key of the stream.
        runs: last number of each run before it.
    """

    ranges: Mapping[int, tuple[int, int]]
    runs: Mapping[tuple[str, str], int]


def withdraw(shelf: Shelf, placed: Placed) -> int:
    """Put declarations in the place of records; all batches are sealed. Returns how many records were taken back."""
    taken = 0
    for key, (first, last) in placed.ranges.items():
        for begins, ends in moving_rows.ranges_within(shelf.db, key, first, last):
            batch_id = tables.find_batch(shelf.db, key, begins, ends)
            row = tables.batch(shelf.db, batch_id) if batch_id is not None else None
            if batch_id is not None and row is not None:
                shelf.replace(batch_id, row, _without(row, first))
                taken += ends - max(begins, first) + 1
    shelf.tally["records_taken_back"] += taken
    return taken


def _without(row: BatchRow, first: int) -> BatchRow:
    """Return the batch without its records from a number on."""
    if first <= row.first_seq:
        return packing.pack_gap(row, REASON_KEPT_ELSEWHERE)
    batch = decode_batch(row.data)
    kept = [record for record in batch.records if record.last_seq() < first]
    gap = gap_record(first, row.last_seq, REASON_KEPT_ELSEWHERE, kept[-1] if kept else None)
    return packing.pack(msgspec.structs.replace(batch, records=[*kept, gap]), row, row.content)
