"""What the outbox does in one transaction: place records, seal, give out, delete by receipt, give up, set aside.

Lives on the writer thread. The caller begins, commits and rolls back; after a rollback it calls ``reload``. Refuses to
decide when to commit (``writer``) and what is worth keeping (``eviction``).
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from contracts.errors import PeerError
from contracts.health import StreamStatus
from contracts.ids import make_stream_id
from contracts.payloads import Gap
from contracts.receipt import Outcome, Receipt
from contracts.records import Observation, RecordClass, class_of
from gateway.counters import Counters
from gateway.outbox import packing, quarantine, tables
from gateway.outbox.eviction import EvictionPolicy
from gateway.outbox.models import StoredBatch
from gateway.outbox.sealing import SealingPolicy

MAX_EVICTIONS = 64
"""Batches given up in one transaction: bounds its length; what is left comes with the next one."""


class Store:
    """One open database.

    Args:
        db: the connection, in autocommit.
        site: site id.
        gateway: gateway id.
        sealing: when to seal.
        eviction: what to give up.
        counters: where discards are counted.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        site: str,
        gateway: str,
        sealing: SealingPolicy,
        eviction: EvictionPolicy,
        counters: Counters,
    ) -> None:
        self._db = db
        self._sealing = sealing
        self._eviction = eviction
        self._counters = counters
        store = tables.store_id(db)
        self._streams = {name: make_stream_id(site, gateway, store, name.value) for name in RecordClass}
        self._next: dict[RecordClass, int] = {}
        self._tally: Counter[str] = Counter()

    def committed(self) -> None:
        """Count what the transaction did, now that it is on disk."""
        for name, amount in self._tally.items():
            self._counters.add(name, amount)
        self._tally.clear()

    def reload(self, now: float) -> None:
        """Read anew what is held in memory: the transaction that changed it was rolled back."""
        self._tally.clear()
        self._next = tables.next_numbers(self._db)
        self._sealing.forget()
        for name, count in tables.count_pending(self._db).items():
            self._sealing.pending_is(name, count, now)

    def append(self, source: str, run_id: str, last_no: int, observations: Sequence[Observation]) -> int:
        """Place the observations ``last_no - n + 1`` to ``last_no`` of a run; what is stored already is passed over.

        Returns:
            The last number of the run that is stored.

        Raises:
            PeerError: they leave a hole after the stored number, or contain a gap (reason ``bad_frame``).
        """
        stored = tables.stored_no(self._db, source, run_id)
        known = stored - (last_no - len(observations))
        if known < 0:
            cause = f"begins at {stored - known + 1} where {stored + 1} belongs"
            raise PeerError("append", f"{source}/{run_id}", cause, "", "bad_frame")
        fresh = observations[known:]
        if not fresh:
            return stored
        rows: dict[RecordClass, list[tuple[int, bytes]]] = {}
        for item in fresh:
            if isinstance(item.payload, Gap):
                raise PeerError("append", f"{source}/{run_id}", "a driver cannot declare a gap", "", "bad_frame")
            self._place(item, source, rows)
        for name, placed in rows.items():
            tables.add_pending(self._db, name, placed, self._next[name])
        tables.remember_run(self._db, source, run_id, last_no)
        return last_no

    def count_pending(self, now: float) -> None:
        """Tell the sealing policy what is pending."""
        counted = tables.count_pending(self._db)
        for name in RecordClass:
            self._sealing.pending_is(name, counted.get(name, 0), now)

    def seal(self, names: Collection[RecordClass]) -> int:
        """Seal all pending records of the classes; returns the number of batches made."""
        made = 0
        for name in names:
            while rows := tables.oldest_pending(self._db, name, self._sealing.seal_records):
                records = [packing.unpack_record(data, seq) for seq, data in rows]
                tables.remove_pending(self._db, name, rows[-1][0])
                for row in packing.pack_batches(self._streams[name], name, records):
                    tables.add_batch(self._db, row)
                    made += 1
        return made

    def next_batches(self, exclude: Collection[int], limit: int, room_bytes: int, now_ns: int) -> list[StoredBatch]:
        """Return the batches to send next, alarms first, then oldest first.

        Args:
            exclude: ids in flight.
            limit: at most so many.
            room_bytes: at most so many bytes in total, but at least one batch.
            now_ns: UTC ns, for what is found damaged.
        """
        chosen: list[StoredBatch] = []
        for batch_id, size in tables.next_batches(self._db, exclude, limit):
            if chosen and size > room_bytes:
                break
            item = self.read_batch(batch_id, now_ns)
            if item is not None:
                chosen.append(item)
                room_bytes -= size
        return chosen

    def read_batch(self, batch_id: int, now_ns: int) -> StoredBatch | None:
        """Return a batch, None if it is gone. One that is damaged is set aside and its range declared."""
        row = tables.batch(self._db, batch_id)
        if row is None:
            return None
        if not packing.is_intact(row):
            self._tally["batches_damaged"] += 1
            quarantine.put(self._db, row, packing.REASON_DAMAGED, now_ns, is_declared=True)
            row = self._declare(batch_id, row, packing.REASON_DAMAGED)
            self._push_out_quarantined()
        stream_id = self._streams[row.record_class]
        return StoredBatch(batch_id, stream_id, row.first_seq, row.last_seq, row.digest, row.data)

    def settle(self, receipt: Receipt, batch_id: int | None, now_ns: int) -> int | None:
        """Delete or set aside the batch that a receipt names; None if there is no such batch.

        Args:
            receipt: what the cloud said.
            batch_id: the batch, where the receipt named it by its digest only.
            now_ns: UTC ns.
        """
        if receipt.stream_id:
            batch_id = self._find(receipt)
        row = tables.batch(self._db, batch_id) if batch_id is not None else None
        if batch_id is None or row is None:
            self._tally["receipts_unknown"] += 1
            return None
        if receipt.outcome is Outcome.COMMITTED:
            tables.remove_batch(self._db, batch_id, row)
            self._tally["batches_committed"] += 1
            self._tally["records_committed"] += row.last_seq - row.first_seq + 1
            return batch_id
        if receipt.digest and receipt.digest != row.digest:
            self._tally["receipts_stale"] += 1  # of what was here before the batch was given up
            return None
        self._tally["batches_refused"] += 1
        quarantine.put(self._db, row, receipt.reason or "refused", now_ns, is_declared=row.is_gap)
        tables.remove_batch(self._db, batch_id, row)
        self._push_out_quarantined()
        return batch_id

    def evict(self, now_ns: int | None) -> int:
        """Give up what is too much or too old; returns the number of batches given up.

        Args:
            now_ns: UTC ns by a clock that can be believed, else None.
        """
        for done in range(MAX_EVICTIONS):
            choice = self._eviction.choose(tables.candidates(self._db, now_ns), tables.used_bytes(self._db))
            row = tables.batch(self._db, choice.batch_id) if choice else None
            if choice is None or row is None:
                return done
            self._declare(choice.batch_id, row, choice.reason)
            dropped = row.last_seq - row.first_seq + 1
            self._tally[f"dropped_{row.record_class.value}_{choice.reason}"] += dropped
        return MAX_EVICTIONS

    def is_full(self) -> bool:
        """Tell whether the cap is reached although nothing is left to give up: then nothing may be taken in."""
        return tables.used_bytes(self._db) > self._eviction.max_bytes and not tables.evictable(self._db)

    def used_bytes(self) -> int:
        """Return the size of the pages in use."""
        return tables.used_bytes(self._db)

    def stored_no(self, source: str, run_id: str) -> int:
        """Return the last number stored of a run."""
        return tables.stored_no(self._db, source, run_id)

    def quarantined(self) -> int:
        """Return how many batches are set aside."""
        return quarantine.count(self._db)

    def streams(self, age_s: Callable[[int, int, str], float]) -> tuple[list[StreamStatus], float | None]:
        """Return the state of each stream and the age of the oldest batch of all, s.

        Args:
            age_s: computes an age from (UTC ns, monotonic ns, boot id).
        """
        found: list[StreamStatus] = []
        ages: list[float] = []
        for name, next_seq, records, size in tables.stream_totals(self._db):
            oldest = tables.oldest_of(self._db, name)
            if oldest is not None:
                ages.append(age_s(*oldest))
            found.append(
                StreamStatus(
                    stream_id=self._streams[name],
                    next_seq=next_seq,
                    buffered_records=records,
                    buffered_bytes=size,
                    oldest_at_ns=oldest[0] if oldest else None,
                )
            )
        return found, max(ages, default=None)

    def _place(self, item: Observation, source: str, rows: dict[RecordClass, list[tuple[int, bytes]]]) -> None:
        name = class_of(item.payload)
        seq = self._next.get(name, 1)
        data, is_replaced = packing.pack_record(item, seq, source)
        if is_replaced:
            self._tally[f"dropped_{name.value}_{packing.REASON_TOO_LARGE}"] += 1
        rows.setdefault(name, []).append((seq, data))
        self._next[name] = seq + 1

    def _find(self, receipt: Receipt) -> int | None:
        for name, stream_id in self._streams.items():
            if stream_id == receipt.stream_id:
                return tables.find_batch(self._db, name.value, receipt.first_seq, receipt.last_seq)
        return None

    def _declare(self, batch_id: int, row: tables.BatchRow, reason: str) -> tables.BatchRow:
        gap = packing.pack_gap(self._streams[row.record_class], row, reason)
        tables.replace_batch(self._db, batch_id, gap)
        return gap

    def _push_out_quarantined(self) -> None:
        for class_name, first_seq, last_seq, is_declared in quarantine.push_out(self._db):
            self._tally["quarantine_pushed_out"] += 1
            if not is_declared:
                name = RecordClass(class_name)
                gap = packing.pack_declaration(self._streams[name], name, first_seq, last_seq, "refused")
                tables.add_batch(self._db, gap)
