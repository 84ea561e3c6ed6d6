"""Moves what the ring holds into the database on the disk, part by part, under its own stream ids and numbers.

A part is copied, committed, and only then let go of in memory, so that a disk that fails in between loses nothing: the
next attempt finds what it has copied before and passes it over. ``lift`` and ``let_go`` run on the ring's thread,
``stow`` on the disk's, each inside a transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from contracts.codec import decode_batch
from contracts.payloads import Gap
from gateway.outbox import moving_rows, packing, tables
from gateway.outbox.gaps import gap_record
from gateway.outbox.mark import Numbers
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow
from gateway.outbox.quarantine import SetAside
from gateway.outbox.ring import Run
from gateway.outbox.salvage.ranges import Range, subtract
from gateway.outbox.store import Store

PART_BYTES = 512 * 1024
"""Batches moved in one transaction: a tenth of a second on a slow card, in which appends to the ring go on."""

REASON_RING_LOST = "ring_lost"


@dataclass(frozen=True, slots=True)
class Load:
    """A part of the ring.

    Attributes:
        batches: (id in the ring, batch), oldest first.
        next_numbers: number that comes next, by stream id.
        is_all: nothing else lies in the ring.
    """

    batches: Sequence[tuple[int, BatchRow]]
    next_numbers: Mapping[str, int]
    is_all: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """What else the ring knows.

    Attributes:
        runs: last number of each run.
        begun: last number that the disk was known to have when the run came to the ring.
        set_aside: batches that the cloud has refused.
    """

    runs: Mapping[Run, int]
    begun: Mapping[Run, int]
    set_aside: Sequence[SetAside]


def lift(store: Store) -> Load:
    """Return the oldest part; what lies open is sealed first, so that no range changes any more."""
    store.seal_all()
    store.shelf.streams.write()
    found: list[tuple[int, BatchRow]] = []
    size_bytes = 0
    ids = moving_rows.all_ids(store.shelf.db)
    for batch_id in ids:
        row = tables.batch(store.shelf.db, batch_id)
        if row is None:
            continue
        found.append((batch_id, row))
        size_bytes += len(row.data)
        if size_bytes >= PART_BYTES:
            break
    next_numbers = {stream.stream_id: stream.next_seq for stream in store.shelf.streams}
    return Load(found, next_numbers, len(found) == len(ids))


def let_go(store: Store, load: Load) -> None:
    """Delete a part that is on the disk; what a receipt has taken meanwhile is gone already.

    A declaration that was joined to the one before it while the part was copied stays: the disk has only the first.
    """
    for batch_id, copied in load.batches:
        row = tables.batch(store.shelf.db, batch_id)
        if row is not None and row.last_seq <= copied.last_seq:
            store.shelf.remove(batch_id, row)


def stow(store: Store, load: Load) -> int:
    """Put a part into the database on the disk; returns how many batches were not there yet."""
    added = 0
    for _, row in load.batches:
        stream = store.shelf.streams.earlier(row.stream_id)
        stream.next_seq = max(stream.next_seq, load.next_numbers[row.stream_id])
        stream.is_changed = True
        there = moving_rows.ranges_within(store.shelf.db, stream.key, row.first_seq, row.last_seq)
        for piece in _missing(replace(row, stream=stream.key), there):
            store.shelf.add(stream, piece)
            added += 1
    return added


def _missing(row: BatchRow, there: Sequence[Range]) -> list[BatchRow]:
    """Return what of a batch is not on the disk yet: all, nothing, or the rest of a declaration that has grown."""
    if not there:
        return [row]
    if row.content is not Content.GAPS:
        return []
    batch = decode_batch(row.data)
    pieces = []
    for first, last in subtract([(row.first_seq, row.last_seq)], there):
        gaps = [
            gap_record(max(first, record.seq), min(last, record.last_seq()), record.payload.reason, record)
            for record in batch.records
            if isinstance(record.payload, Gap) and record.seq <= last and first <= record.last_seq()
        ]
        piece = msgspec.structs.replace(batch, first_seq=first, last_seq=last, records=gaps)
        pieces.append(packing.pack(piece, replace(row, first_seq=first, last_seq=last), Content.GAPS))
    return pieces


def stow_rest(store: Store, rest: Rest) -> int:
    """Take over the numbers of the runs, so that the drivers go on where the ring ended, and what was set aside.

    Returns:
        How many observations lie in both: of a commit that had not answered in time and was done all the same.

    Raises:
        OSError: the side file cannot be written now.
    """
    twice = 0
    for run, last_no in rest.runs.items():
        on_disk = store.stored_no(*run)
        twice += max(0, min(on_disk, last_no) - rest.begun.get(run, on_disk))
        if last_no > on_disk:
            store.begin_run(*run, last_no)
    for item in rest.set_aside:
        store.shelf.set_aside(item)
    return twice


def declare_lost(store: Store, stream_id: str, numbers: Numbers) -> None:
    """Declare what of a ring's stream went with its process: what has no receipt and was not moved to the disk."""
    stream = store.shelf.streams.earlier(stream_id)
    stream.next_seq = max(stream.next_seq, numbers.next_seq)
    stream.is_changed = True
    expected = numbers.floor
    there = moving_rows.ranges_of(store.shelf.db, stream.key, numbers.floor)
    for first_seq, last_seq in [*there, (numbers.next_seq, numbers.next_seq)]:
        if first_seq > expected:
            gap = packing.pack_declaration(stream.key, stream_id, expected, first_seq - 1, REASON_RING_LOST)
            store.shelf.add(stream, gap)
        expected = max(expected, last_seq + 1)
