"""The streams of one database, held in memory and written once a transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from contracts.health import StreamStatus
from contracts.ids import make_stream_id, split_stream_id
from contracts.records import RecordClass
from gateway.outbox import tables
from gateway.outbox.held import HeldRanges
from gateway.outbox.held_rows import read_held


@dataclass(slots=True)
class Stream:
    """One stream, and what of it lies in the database.

    Attributes:
        key: of its row.
        is_current: new records get its numbers; else it is of an earlier database and only drains.
        next_seq: number that its next record gets.
        records: numbers that lie here.
        size_bytes: of their batches.
        held: which numbers they are; None until they are asked for.
        gaps_below: below this number only gaps are known to lie here; where to look for something to give up.
        thinned_below: likewise nothing that is not thinned.
    """

    key: int
    stream_id: str
    record_class: RecordClass
    is_current: bool
    next_seq: int
    records: int
    size_bytes: int
    gaps_below: int = 0
    thinned_below: int = 0
    is_changed: bool = False
    held: HeldRanges | None = None

    def take(self, first_seq: int, last_seq: int) -> None:
        """Note that the numbers of a batch lie here."""
        if self.held is not None:
            self.held.add(first_seq, last_seq)

    def let_go(self, first_seq: int, last_seq: int) -> None:
        """Note that the numbers of a batch lie here no longer."""
        if self.held is not None and not self.held.remove(first_seq, last_seq):
            self.held = None


class Streams:
    """All streams of a database.

    Args:
        db: the database.
        site: site id.
        gateway: gateway id.
    """

    def __init__(self, db: sqlite3.Connection, site: str, gateway: str) -> None:
        self._db = db
        store = tables.store_id(db)
        self._names = {name: str(make_stream_id(site, gateway, store, name.value)) for name in RecordClass}
        self._by_key: dict[int, Stream] = {}
        self._by_id: dict[str, Stream] = {}

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._by_key.values())

    def load(self) -> None:
        """Read all of them anew: what is in memory was rolled back."""
        self._by_key.clear()
        self._by_id.clear()
        for key, stream_id, is_current, next_seq, records, size_bytes in tables.stream_rows(self._db):
            # a device that was given another name begins new streams; those of its old name only drain
            is_ours = is_current and stream_id in self._names.values()
            name = RecordClass(split_stream_id(stream_id)[3])
            self._put(Stream(key, stream_id, name, is_ours, next_seq, records, size_bytes))

    def current(self, record_class: RecordClass) -> Stream:
        """Return the stream that new records of a class belong to; it is made with the first of them."""
        stream_id = self._names[record_class]
        found = self._by_id.get(stream_id)
        if found is None:
            key = tables.add_stream(self._db, stream_id, is_current=True, next_seq=1)
            found = self._put(Stream(key, stream_id, record_class, True, 1, 0, 0))
        return found

    def earlier(self, stream_id: str) -> Stream:
        """Return a stream that is not this database's own; it is made with the first of its batches that come here."""
        found = self._by_id.get(stream_id)
        if found is None:
            key = tables.add_stream(self._db, stream_id, is_current=False, next_seq=1)
            found = self._put(Stream(key, stream_id, RecordClass(split_stream_id(stream_id)[3]), False, 1, 0, 0))
        return found

    def by_key(self, key: int) -> Stream:
        """Return the stream of a stored batch."""
        return self._by_key[key]

    def find(self, stream_id: str) -> Stream | None:
        """Return a stream by its name."""
        return self._by_id.get(stream_id)

    def of_class(self, record_class: RecordClass) -> list[Stream]:
        """Return the streams of a class, those of earlier databases first."""
        return sorted((item for item in self if item.record_class is record_class), key=lambda item: item.is_current)

    def count(self, stream: Stream, records: int, size_bytes: int) -> None:
        """Change what lies in the database of a stream."""
        stream.records += records
        stream.size_bytes += size_bytes
        stream.is_changed = True

    def write(self) -> None:
        """Write what has changed; a stream of an earlier database that has drained is forgotten."""
        for stream in [item for item in self if item.is_changed]:
            stream.is_changed = False
            if not stream.is_current and stream.records <= 0:
                tables.remove_stream(self._db, stream.key)
                del self._by_key[stream.key], self._by_id[stream.stream_id]
            else:
                tables.write_stream(self._db, stream.key, stream.next_seq, stream.records, stream.size_bytes)

    def statuses(self, age_s: Callable[[int, int, str], float]) -> tuple[list[StreamStatus], float | None]:
        """Return the state of each stream and the age of the oldest batch of all, s; see ``Store.streams``."""
        found: list[StreamStatus] = []
        ages: list[float] = []
        for stream in self:
            oldest = tables.oldest_of(self._db, stream.key)
            oldest_age_s = age_s(*oldest) if oldest is not None else None
            if oldest_age_s is not None:
                ages.append(oldest_age_s)
            held = self._held(stream).pairs()
            found.append(
                StreamStatus(
                    stream_id=stream.stream_id,
                    next_seq=stream.next_seq,
                    buffered_records=stream.records,
                    buffered_bytes=stream.size_bytes,
                    oldest_seq=held[0][0] if held else None,
                    buffered_ranges=held,
                    oldest_at_ns=oldest[0] if oldest else None,
                    oldest_age_s=oldest_age_s,
                )
            )
        return found, max(ages, default=None)

    def _held(self, stream: Stream) -> HeldRanges:
        """Return which numbers of a stream lie here; they are read again where the sums do not agree.

        What was read is right then: a total that went on contradicting it would have all rows read at every status.
        """
        if stream.held is None or stream.held.total() != stream.records:
            stream.held = read_held(self._db, stream.key, stream.next_seq, stream.records)
            if (amount := stream.held.total() - stream.records) != 0:
                self.count(stream, amount, 0)
        return stream.held

    def _put(self, stream: Stream) -> Stream:
        self._by_key[stream.key] = self._by_id[stream.stream_id] = stream
        return stream
