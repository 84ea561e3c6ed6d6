"""Makes room in one open database: thins, drops, hands pages back to the disk. On the writer thread.

What to give up is decided by ``eviction_policy``, how much may lie here by ``space_policy``, how old it is by
``age_policy``, what stays of a minute by ``thinning``; this applies them, inside the transaction that takes new space.
What is dropped becomes a gap in its range, and joins the gap before it: a long outage leaves one declaration a stream,
not one a batch (ADR 0107). The cloud lets data win over a declared gap and takes any cut of a stream, so that a batch
may be declared and joined although it was sent once.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from contracts.batch import Batch
from contracts.codec import decode_batch
from contracts.errors import PeerError
from contracts.payloads import Gap
from contracts.records import RecordClass
from gateway.outbox import packing, pressure_rows
from gateway.outbox.age_policy import AgePolicy
from gateway.outbox.eviction_policy import Cap, ClassLoad, EvictionPolicy
from gateway.outbox.gaps import join_gaps
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow
from gateway.outbox.ports import OutboxClock
from gateway.outbox.shelf import Shelf
from gateway.outbox.space_policy import DiskSpace, FileUse, SpacePolicy
from gateway.outbox.streams import Stream
from gateway.outbox.thinning import THINNABLE, settled, thin

MAX_SACRIFICES = 64
"""Minutes thinned or batches dropped in one transaction: bounds its length; what is left comes with the next one."""
LOOK_INTERVAL_S = 1.0
"""Ages and the free space of the disk are looked at this often."""
MAX_GAPS_JOINED = 64
"""Gap records of one joined batch: with more reasons than that in turn, another batch begins."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a database.

    Attributes:
        eviction: what goes first.
        space: what may lie here.
        measure: looks at the disk; None where it does not answer, or where there is none.
        clock: time of the device.
        give_up: deletes what lies beside the database and is worth less than any record; False if there is nothing.
    """

    eviction: EvictionPolicy
    space: SpacePolicy
    measure: Callable[[], DiskSpace | None]
    clock: OutboxClock
    give_up: Callable[[], bool] = lambda: False


class Pressure:
    """See the module.

    Args:
        db: the connection, inside a transaction of the caller's whenever something changes.
        shelf: its batches.
        limits: what bounds it.
        seal: joins and seals what lies open of a stream.
    """

    def __init__(self, db: sqlite3.Connection, shelf: Shelf, limits: Limits, seal: Callable[[int], object]) -> None:
        self._db = db
        self._shelf = shelf
        self._limits = limits
        self._clock = limits.clock
        self._seal = seal
        self._ages = AgePolicy(limits.clock.boot_id)
        self._space: DiskSpace | None = None
        self._look_at = 0.0
        self.has_shrunk = False
        """Pages were handed back: the file is cut at the next checkpoint."""

    def relieve(self) -> int:
        """Give up what is too much or too old; returns the number of sacrifices."""
        now = self._clock.mono_s()
        is_due = now >= self._look_at
        if is_due:
            self._look_at = now + LOOK_INTERVAL_S
            self._space = self._measured()
            self._ages.note(now, self._clock.wall_ns(), is_believed=self._clock.is_believed())
        use = self.use()
        if not is_due and not self._limits.eviction.needs_room(use.used_bytes, self.cap(use)):
            return 0
        done = 0
        while done < MAX_SACRIFICES:
            choice = self._limits.eviction.choose(self._loads(now), use.used_bytes, self.cap(use))
            if choice is None:
                break
            done += 1
            if choice.is_thinning:
                self._thin(choice.record_class)
            else:
                self._drop(choice.record_class, choice.reason)
            use = self.use()
            if not choice.is_urgent:
                break
        if is_due:
            self._hand_back(use)
        return done

    def _measured(self) -> DiskSpace | None:
        """Look at the disk; where it is short, what is worth less than any record goes first."""
        space = self._limits.measure()
        if space is None or not self._limits.space.is_short(self.use(), space) or not self._limits.give_up():
            return space
        return self._limits.measure()

    def use(self) -> FileUse:
        """Return the size of the file and of its pages in use."""
        return pressure_rows.file_use(self._db)

    def cap(self, use: FileUse) -> Cap:
        """Return what the pages in use may grow to."""
        return self._limits.space.cap(use, self._space)

    def _hand_back(self, use: FileUse) -> None:
        amount = self._limits.space.shrink_bytes(use, self._space)
        if amount > 0:
            pressure_rows.hand_back(self._db, amount)
            self.has_shrunk = True

    def _loads(self, now: float) -> list[ClassLoad]:
        found = []
        for name in RecordClass:
            streams = self._shelf.streams.of_class(name)
            oldest = next((row for stream in streams if (row := self._oldest(stream)) is not None), None)
            found.append(
                ClassLoad(
                    name,
                    sum(stream.size_bytes for stream in streams),
                    is_droppable=oldest is not None,
                    is_thinnable=name in THINNABLE and any(self._window(stream) for stream in streams),
                    oldest_age_s=None if oldest is None else self._ages.age_s(
                        now, oldest.at_ns, oldest.mono_ns, oldest.boot_id, is_time_known=oldest.is_time_known
                    ),
                )
            )  # fmt: skip
        return found

    def _oldest(self, stream: Stream) -> pressure_rows.Brief | None:
        """Return the oldest batch of a stream that still holds records."""
        oldest = pressure_rows.oldest_with_records(self._db, stream.key, stream.gaps_below)
        # not to its next number: a stream that is moved here from memory has that before all of its batches
        stream.gaps_below = (
            oldest.first_seq if oldest is not None else pressure_rows.behind_newest(self._db, stream.key)
        )
        return oldest

    def _window(self, stream: Stream) -> list[int]:
        """Return the ids of the next batches to thin together; none while their minutes are not over."""
        first_seq = pressure_rows.first_not_thinned(self._db, stream.key, stream.thinned_below)
        if first_seq is None:
            stream.thinned_below = pressure_rows.behind_newest(self._db, stream.key)
            return []
        # kept also where the minute is not over: else all that is thinned would be passed over again each second
        stream.thinned_below = first_seq
        return [brief.batch_id for brief in pressure_rows.next_window(self._db, stream.key, first_seq)]

    def _drop(self, name: RecordClass, reason: str) -> None:
        for stream in self._shelf.streams.of_class(name):
            oldest = self._oldest(stream)
            if oldest is None:
                continue
            if oldest.is_open:
                self._seal(stream.key)
            row = self._whole(oldest.batch_id)
            if row is not None:
                self._tally(f"dropped_{name.value}_{reason}", _records_in(row))
                self._declare(oldest.batch_id, row, packing.pack_gap(row, reason))
            return

    def _thin(self, name: RecordClass) -> None:
        for stream in self._shelf.streams.of_class(name):
            ids = self._window(stream)
            if not ids:
                continue
            rows = [(batch_id, row) for batch_id in ids if (row := self._whole(batch_id)) is not None]
            batches = [decode_batch(row.data) for _, row in rows]
            if batches:
                self._thin_window(rows, batches)
            return

    def _thin_window(self, rows: list[tuple[int, BatchRow]], batches: list[Batch]) -> None:
        # a window that was ended by its length has to be done with all the same, else it would be the next one too
        is_done = settled(batches)
        is_cut = not is_done[0]
        after = [new or old for old, new in zip(batches, thin(batches, is_cut=is_cut), strict=True)]
        for (batch_id, row), old, new, is_over in zip(rows, batches, after, is_done, strict=True):
            content = Content.THINNED if is_cut or is_over else Content.RECORDS
            packed = packing.pack(new, row, content if _kept(new) else Content.GAPS)
            if new is old or len(packed.data) >= len(row.data):
                if content is not row.content:
                    pressure_rows.mark_content(self._db, batch_id, content)
                continue
            self._tally(f"thinned_{row.record_class.value}", _kept(old) - _kept(new))
            if packed.content is Content.GAPS:
                self._declare(batch_id, row, packed)
            else:
                self._shelf.replace(batch_id, row, packed)

    def _whole(self, batch_id: int) -> BatchRow | None:
        """Return a batch that proves itself; one that does not is set aside and declared by the reading."""
        row = self._shelf.read(batch_id, self._clock.wall_ns())
        return row if row is not None and row.content is not Content.GAPS else None

    def _declare(self, batch_id: int, row: BatchRow, gap: BatchRow) -> None:
        """Put a gap in the place of a batch, joined to the gap before it where there is one."""
        before = pressure_rows.gap_before(self._db, row.stream, row.first_seq)
        joined = _joined(before[1], gap) if before is not None else None
        if before is None or joined is None:
            self._shelf.replace(batch_id, row, gap)
        else:
            self._shelf.absorb(before, joined, (batch_id, row))

    def _tally(self, name: str, amount: int) -> None:
        if amount:
            self._shelf.tally[name] += amount


def _kept(batch: Batch) -> int:
    return sum(not isinstance(record.payload, Gap) for record in batch.records)


def _joined(before: BatchRow, gap: BatchRow) -> BatchRow | None:
    """Return one declaration of two neighbouring ones, None where it would hold too many gaps."""
    first, second = decode_batch(before.data), decode_batch(gap.data)
    records = join_gaps([*first.records, *second.records])
    if len(records) > MAX_GAPS_JOINED:
        return None
    batch = msgspec.structs.replace(first, last_seq=second.last_seq, records=records)
    return packing.pack(batch, replace(before, last_seq=gap.last_seq), Content.GAPS)


def _records_in(row: BatchRow) -> int:
    """Return how many records a batch still holds."""
    try:
        return _kept(decode_batch(row.data))
    except PeerError:
        return row.last_seq - row.first_seq + 1
