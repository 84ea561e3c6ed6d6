"""What the outbox does in one transaction: place records, give out, delete by receipt, give up what is too much.

Lives on the writer thread. The caller begins, calls ``flush``, commits, and after a rollback calls ``reload``: what a
transaction has placed is written by ``flush``, one row a class, and the totals with it. Refuses to decide when to
commit (``writer``) and what is worth keeping (``pressure``). One file because all of it shares one transaction's memory
(numbers placed, rows not yet written, totals) and must be reloaded together.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter

from contracts.codec import digest
from contracts.errors import PeerError
from contracts.health import StreamStatus
from contracts.receipt import Outcome, Receipt
from contracts.records import CLASS_OF_PAYLOAD, Observation, RecordClass
from gateway.counters import Counters
from gateway.outbox import packing, tables
from gateway.outbox.lanes import LiveBoundary
from gateway.outbox.mark import Numbers
from gateway.outbox.models import URGENT_CLASSES, Content, Lane, StoredBatch
from gateway.outbox.packing import BatchRow, Tail
from gateway.outbox.pressure import Limits, Pressure
from gateway.outbox.scrub import Scrub
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.shelf import Shelf, SideFile
from gateway.outbox.withdrawing import Placed, withdraw

MAX_RUNS_KNOWN = 512
"""Runs whose last number is held in memory, twice what 32 drivers leave; beyond it they are read again."""


class Store:
    """One open database.

    Args:
        db: the connection, in autocommit.
        owner: site id and gateway id.
        sealing: when to seal.
        limits: what may lie here, and what goes first.
        quarantine: where refused and damaged batches go.
        counters: where discards are counted.
        amend: returns what travels of a stored batch; the same at every resend.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        owner: tuple[str, str],
        sealing: SealingPolicy,
        limits: Limits,
        quarantine: SideFile,
        counters: Counters,
        amend: Callable[[BatchRow], bytes] = attrgetter("data"),
    ) -> None:
        self._db = db
        self._amend = amend
        self._sealing = sealing
        self._counters = counters
        self._shelf = Shelf(db, owner, quarantine)
        self._streams = self._shelf.streams
        self.scrub = Scrub(db, self._shelf)
        self._pressure = Pressure(db, self._shelf, limits, self._seal)
        self._live = LiveBoundary()
        self._tails: dict[RecordClass, list[Tail]] = {}
        self._runs: dict[tuple[str, str], int] = {}
        self._new_runs: dict[tuple[str, str], int] = {}
        self._placed: dict[int, tuple[int, int]] = {}
        self._runs_before: dict[tuple[str, str], int] = {}
        self._live.begin(self._shelf.next_id)

    @property
    def shelf(self) -> Shelf:
        """Its batches, for whoever moves them in or out inside a transaction."""
        return self._shelf

    def begin_ids(self, first_id: int) -> None:
        """Give the next batches ids from ``first_id`` on; the database is empty."""
        self._shelf.next_id = first_id
        self._live.begin(first_id)

    def begin_run(self, source: str, run_id: str, last_no: int) -> None:
        """Take a run as stored up to a number: those records lie elsewhere."""
        self._new_runs[source, run_id] = last_no

    def committed(self, now: float) -> None:
        """Count what the transaction did, now that it is on disk."""
        for name, amount in self._shelf.tally.items():
            self._counters.add(name, amount)
        self._shelf.tally.clear()
        self._placed.clear()
        self._runs_before.clear()
        self._live.note(now, self._shelf.next_id)

    def reload(self, now: float) -> None:
        """Read anew what is held in memory: the transaction that changed it was rolled back."""
        self._shelf.tally.clear()
        self._shelf.damaged.clear()
        self._tails.clear()
        self._runs.clear()
        self._new_runs.clear()
        self._placed.clear()
        self._runs_before.clear()
        self._streams.load()
        self._sealing.forget()
        for stream in self._streams:
            self._sealing.open_is(stream.key, tables.open_records(self._db, stream.key), now)

    def append(
        self, source: str, run_id: str, last_no: int, items: Sequence[Observation], bodies: Sequence[bytes] = ()
    ) -> int:
        """Place the observations ``last_no - n + 1`` to ``last_no`` of a run; what is stored already is passed over.

        Args:
            source: id of the driver instance.
            run_id: its run.
            last_no: number of the last observation, from 1.
            items: in order, without holes.
            bodies: the same as JSON (``packing.encode``), where the caller has them.

        Returns:
            The last number of the run that is stored.

        Raises:
            PeerError: they leave a hole after the stored number, or contain a gap (reason ``bad_frame``); nothing was
                placed.
        """
        stored = self.stored_no(source, run_id)
        known = stored - (last_no - len(items))
        if known < 0:
            cause = f"begins at {stored - known + 1} where {stored + 1} belongs"
            raise PeerError("append", f"{source}/{run_id}", cause, "", "bad_frame")
        fresh = items[known:]
        if not fresh:
            return stored
        names = packing.classes_of(fresh)
        if None in names:
            raise PeerError("append", f"{source}/{run_id}", "a driver cannot declare a gap", "", "bad_frame")
        bodies = bodies[known:] or packing.encode(fresh)
        for name in RecordClass:
            if names == {name}:
                self._place(name, fresh, bodies, source)
            elif name in names:
                chosen = [at for at, item in enumerate(fresh) if CLASS_OF_PAYLOAD[type(item.payload)] is name]
                self._place(name, [fresh[at] for at in chosen], [bodies[at] for at in chosen], source)
        self._runs_before.setdefault((source, run_id), stored)
        self._new_runs[source, run_id] = last_no
        return last_no

    def flush(self, now: float) -> int:
        """Write what was placed, and the totals; returns the number of batches that the uplink may send now."""
        made = 0
        for name, tails in self._tails.items():
            stream = self._streams.current(name)
            is_open = not self._sealing.is_sealed_at_once(name)
            if not is_open:
                made += self._seal(stream.key)
            for tail in tails:
                for row in tail.pack(stream.key, stream.stream_id, is_open=is_open):
                    self._shelf.add(stream, row)
                    made += not is_open
                stream.next_seq = tail.next_seq
            self._placed[stream.key] = (tails[0].first_seq, tails[-1].next_seq - 1)
            if is_open:
                placed = tails[-1].next_seq - tails[0].first_seq
                self._sealing.open_is(stream.key, self._sealing.open_records(stream.key) + placed, now)
        self._tails.clear()
        for key in self._sealing.due(now):
            made += self._seal(key)
        for run, last_no in self._new_runs.items():
            tables.remember_run(self._db, *run, last_no)
        if len(self._runs) > MAX_RUNS_KNOWN:
            self._runs.clear()
        self._runs |= self._new_runs
        self._new_runs.clear()
        self._streams.write()
        return made

    def placed(self) -> Placed:
        """Return what the transaction has placed so far, after ``flush``."""
        return Placed(dict(self._placed), dict(self._runs_before))

    def withdraw(self, placed: Placed) -> int:
        """Take back what an earlier transaction has placed; returns the number of records."""
        self.seal_all()
        self._new_runs |= placed.runs
        return withdraw(self._shelf, placed)

    def seal_all(self) -> int:
        """Seal everything that lies open; returns the number of batches made."""
        return sum(self._seal(key) for key in self._sealing.open_streams())

    def next_batches(
        self, lane: Lane, exclude: Collection[int], limit: int, room_bytes: int, now_ns: int
    ) -> list[StoredBatch]:
        """Return the batches of a lane to send next; what lies open is sealed when there is nothing else.

        Args:
            lane: alarms (then lifts), what is new, or what has waited; each oldest first.
            exclude: ids in flight.
            limit: at most so many.
            room_bytes: at most so many bytes in total, but at least one batch.
            now_ns: UTC ns, for what is found damaged.
        """
        listed = self._listed(lane, exclude, limit)
        if not listed and lane is not Lane.ALARM and self.seal_all():
            listed = self._listed(lane, exclude, limit)
        chosen: list[StoredBatch] = []
        for batch_id, size in listed:
            if chosen and size > room_bytes:
                break
            item = self.read_batch(batch_id, now_ns)
            if item is not None:
                chosen.append(item)
                room_bytes -= size
        return chosen

    def read_batch(self, batch_id: int, now_ns: int) -> StoredBatch | None:
        """Return a batch, None if it is gone. One that is damaged is set aside and its range declared."""
        row = self._shelf.read(batch_id, now_ns)
        if row is None:
            return None
        data, lane = self._amend(row), self._lane(batch_id, row)
        return StoredBatch(batch_id, row.stream_id, row.first_seq, row.last_seq, digest(data), data, lane)

    def settle(self, receipt: Receipt, batch_id: int | None, now_ns: int) -> int | None:
        """Delete or set aside the batch that a receipt names; None if there is no such batch.

        Args:
            receipt: what the cloud said.
            batch_id: the batch, where the receipt named it by its digest only.
            now_ns: UTC ns.
        """
        if receipt.stream_id:
            stream = self._streams.find(receipt.stream_id)
            batch_id = None
            if stream is not None:
                batch_id = tables.find_batch(self._db, stream.key, receipt.first_seq, receipt.last_seq)
        row = tables.batch(self._db, batch_id) if batch_id is not None else None
        if batch_id is None or row is None:
            self._shelf.tally["receipts_unknown"] += 1
            return None
        if receipt.outcome is Outcome.COMMITTED:
            self._shelf.remove(batch_id, row)
            self._shelf.tally["batches_committed"] += 1
            self._shelf.tally["records_committed"] += row.last_seq - row.first_seq + 1
            return batch_id
        is_declaration = row.content is Content.GAPS
        if receipt.digest != digest(self._amend(row)) and (receipt.digest or is_declaration):
            # it speaks of what was here before the batch was given up or refused: its declaration must go up
            self._shelf.tally["receipts_stale"] += 1
            return None
        return batch_id if self._shelf.refuse(batch_id, row, receipt.reason or packing.REASON_REFUSED, now_ns) else None

    def relieve(self) -> int:
        """Give up what is too much or too old, and hand pages back that the disk needs; returns what was given up."""
        return self._pressure.relieve()

    def take_shrunk(self) -> bool:
        """Tell, once, whether pages were handed back: the next checkpoint makes the file shorter."""
        is_shrunk, self._pressure.has_shrunk = self._pressure.has_shrunk, False
        return is_shrunk

    def capacity_bytes(self) -> int:
        """Return what the pages in use may grow to now: by the setting, or by what the disk has left."""
        return self._pressure.cap(self._pressure.use()).max_bytes

    def used_bytes(self) -> int:
        """Return the size of the pages in use."""
        return self._pressure.use().used_bytes

    def stored_no(self, source: str, run_id: str) -> int:
        """Return the last number stored of a run."""
        known = self._new_runs.get((source, run_id)) or self._runs.get((source, run_id))
        return tables.stored_no(self._db, source, run_id) if known is None else known

    def take_damaged(self) -> list[tuple[str, int, int]]:
        """Return (stream id, first, last) of the batches that were found damaged since the last call."""
        found, self._shelf.damaged = self._shelf.damaged, []
        return found

    def numbers(self) -> dict[str, Numbers]:
        """Return how far each stream has come, those of this database first: what the mark keeps."""
        ordered = sorted(self._streams, key=lambda item: not item.is_current)
        floors = [tables.first_number(self._db, item.key) or item.next_seq for item in ordered]
        return {
            item.stream_id: Numbers(item.next_seq, floor, item.is_current)
            for item, floor in zip(ordered, floors, strict=True)
        }

    def quarantined(self) -> int:
        """Return how many batches are set aside."""
        return self._shelf.set_aside_count()

    def streams(self, age_s: Callable[[int, int, str], float]) -> tuple[list[StreamStatus], float | None]:
        """Return the state of each stream and the age of the oldest batch of all, s.

        Args:
            age_s: computes an age from (UTC ns, monotonic ns, boot id).
        """
        return self._streams.statuses(age_s)

    def _place(self, name: RecordClass, items: Sequence[Observation], bodies: Sequence[bytes], source: str) -> None:
        at = replaced = 0
        while at < len(items):
            taken, gaps = self._tail(name).extend(items[at:], bodies[at:], source)
            at += taken
            replaced += gaps
        if replaced:
            self._shelf.tally[f"dropped_{name.value}_{packing.REASON_TOO_LARGE}"] += replaced

    def _tail(self, name: RecordClass) -> Tail:
        tails = self._tails.setdefault(name, [])
        if not tails:
            tails.append(Tail(self._streams.current(name).next_seq))
        elif tails[-1].is_full():
            tails.append(Tail(tails[-1].next_seq))
        return tails[-1]

    def _seal(self, key: int) -> int:
        made = self._shelf.seal(self._streams.by_key(key))
        self._sealing.open_is(key, 0, 0)
        return made

    def _lane(self, batch_id: int, row: BatchRow) -> Lane:
        if row.record_class in URGENT_CLASSES:
            return Lane.ALARM
        return Lane.LIVE if batch_id >= self._live.first_id else Lane.BACKLOG

    def _listed(self, lane: Lane, exclude: Collection[int], limit: int) -> list[tuple[int, int]]:
        wanted = limit + len(exclude)
        urgent = [*self._streams.of_class(RecordClass.ALARM), *self._streams.of_class(RecordClass.CRANE_CYCLE)]
        found: Iterable[tuple[int, int]]
        if lane is Lane.ALARM:
            found = [item for stream in urgent for item in tables.sealed_of_stream(self._db, stream.key, wanted)]
        else:
            not_of = [stream.key for stream in urgent]
            found = tables.sealed_in_lane(self._db, lane, self._live.first_id, not_of, wanted)
        return [(batch_id, size) for batch_id, size in found if batch_id not in exclude][:limit]
