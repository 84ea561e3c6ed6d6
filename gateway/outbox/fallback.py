"""Turns to memory when the disk takes nothing, and back when it does again; see ``ring`` and ADR 0108.

While the disk is well this only remembers how far each run is. When it fails or does not answer in time, new records
go to a ring; a step a second (``tend``) keeps a note of its numbers beside the database where that can still be
written, tries the disk, and moves the ring into it. No append waits for that but for the last part, which is small.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from contracts.errors import LinkError
from contracts.receipt import Receipt
from contracts.records import Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox import moving, moving_rows, ring_note
from gateway.outbox.desk import Desk
from gateway.outbox.job import Job
from gateway.outbox.models import Appended, OutboxStats
from gateway.outbox.ports import OutboxClock
from gateway.outbox.ring import FIRST_ID, Ring, Run
from gateway.outbox.store import Store

MAX_RUNS = 512
"""Runs whose last number on the disk is remembered: eight of each of 32 drivers, twice; the oldest is forgotten."""

log = structlog.get_logger()


class Fallback:
    """See the module.

    Args:
        path: of the database.
        owner: site id and gateway id.
        settings: of the outbox.
        clock: time of the device.
        counters: where failures are counted.
        disk: the database on the disk.
    """

    def __init__(
        self,
        path: Path,
        owner: tuple[str, str],
        settings: OutboxSettings,
        clock: OutboxClock,
        counters: Counters,
        disk: Desk,
    ) -> None:
        self._path = path
        self._owner = owner
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._disk = disk
        self._known: dict[Run, int] = {}
        self._turns = 0
        self._passing = 0
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._has_passed = asyncio.Event()
        self._note = ring_note.RingNote(path)
        self._last_on_disk = OutboxStats()
        self.cause = ""
        self.ring: Ring | None = None
        self.prepare: Callable[[Ring], None] = lambda _: None
        """Called with each new ring before it is used."""

    def note(self, run: Run, last_no: int) -> None:
        """Remember how far a run is on the disk."""
        self._known.pop(run, None)
        self._known[run] = last_no
        if len(self._known) > MAX_RUNS:
            del self._known[next(iter(self._known))]

    def known(self, run: Run) -> int | None:
        """Return the last number of a run that is surely on the disk, None if that is not known."""
        return self._known.get(run)

    def opened(self, store: Store) -> None:
        """Declare what a ring of an earlier process took along; on the writer's thread, in a transaction."""
        for stream_id, item in self._note.left.items():
            moving.declare_lost(store, stream_id, item)
        if self._note.left:
            log.error("outbox_ring_lost", streams={name: item.next_seq - 1 for name, item in self._note.left.items()})

    def greeted(self, db: sqlite3.Connection) -> None:
        """Forget the note of the earlier process: what it says is declared on the disk; on the writer's thread.

        Not before it is in the database itself: a log whose end is torn looks as if it had never been declared.
        """
        if not self._note.left:
            return
        try:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if self.ring is None:  # else its next note takes the place of this one
                self._note.remove()
        except (OSError, sqlite3.Error) as exc:
            log.warning("outbox_ring_note_kept", cause=str(exc))  # the next process declares it again
            return
        self._note.left = {}

    def desks(self) -> list[Desk]:
        """Return where batches lie: in memory first, and on the disk unless it is stuck while there is a ring."""
        if self.ring is None:
            return [self._disk]
        return [self.ring.desk] if self._disk.is_stuck else [self.ring.desk, self._disk]

    def desk_of(self, batch_id: int) -> Desk | None:
        """Return where a batch lies by its id; None if it was in a ring that is no more, or the disk is stuck."""
        if batch_id < FIRST_ID:
            return None if self.ring is not None and self._disk.is_stuck else self._disk
        return self.ring.desk if self.ring is not None and batch_id >= self.ring.first_id else None

    def shares(
        self, receipts: Sequence[tuple[Receipt, int | None]]
    ) -> list[tuple[Desk, Sequence[tuple[Receipt, int | None]]]]:
        """Return who settles what; a receipt for a batch of the ring goes to both, because it may just be moving."""
        ring = self.ring
        if ring is None:
            return [(self._disk, receipts)]
        in_memory = [item for item in receipts if ring.holds(item[0].stream_id, item[1])]
        shares = [(ring.desk, in_memory), (self._disk, receipts)]
        return [(desk, share) for desk, share in shares if share and (desk is ring.desk or not self._disk.is_stuck)]

    async def stored_no(self, run: Run) -> int:
        """Return the last number of a run that is stored, 0 if none.

        What the disk cannot tell is taken as not stored: the driver then begins a run anew with what it holds.
        """
        if self.ring is None:
            try:
                stored_no = await self._disk.do(Job(run=lambda store: store.stored_no(*run)))
            except LinkError as exc:
                self.turn(exc.cause)
            else:
                self.note(run, stored_no)
                return stored_no
        if self.ring is not None:
            kept: int = await self.ring.desk.do(Job(run=lambda store: store.stored_no(*run)))
            return max(kept, self._known.get(run, 0))
        return self._known.get(run, 0)

    def stats(self, parts: Sequence[OutboxStats]) -> OutboxStats:
        """Return the state of what lies in memory and on the disk, as far as they have answered (memory first)."""
        if self.ring is None:
            self._last_on_disk = parts[0]
            return parts[0]
        if len(parts) > 1:
            self._last_on_disk = parts[1]
        in_memory, on_disk = parts[0], self._last_on_disk
        ages = [age_s for age_s in (in_memory.oldest_age_s, on_disk.oldest_age_s) if age_s is not None]
        return OutboxStats(
            streams=[*on_disk.streams, *in_memory.streams],
            used_bytes=in_memory.used_bytes,
            capacity_bytes=in_memory.capacity_bytes,
            oldest_age_s=max(ages, default=None),
            quarantined_batches=in_memory.quarantined_batches + on_disk.quarantined_batches,
            is_volatile=True,
        )

    def turn(self, cause: str) -> Ring:
        """Keep new records in memory from now on; returns the ring."""
        if self.ring is None:
            self.ring = Ring(self._owner, self._settings, self._clock, self._counters, self._turns)
            self._turns += 1
            self.cause = cause
            self._counters.add("rings_begun")
            log.error(
                "outbox_in_memory", cause=cause, ring_bytes=self._settings.ring_bytes,
                hint="check free space and health of the disk; new records are lost if the gateway ends now",
            )  # fmt: skip
            self.prepare(self.ring)
            self.ring.desk.writer.start()
        return self.ring

    async def append(
        self, run: Run, last_no: int, observations: Sequence[Observation], bodies: Sequence[bytes]
    ) -> Appended | None:
        """Keep observations in the ring; None if the disk has taken over again meanwhile.

        Raises:
            PeerError: see ``Outbox.append``.
            LinkError: memory did not answer either.
        """
        await self._is_open.wait()
        if self.ring is None:
            return None
        self._passing += 1
        try:
            stored_no = await self.ring.append(run, last_no, observations, bodies, self.known(run))
            return Appended(stored_no, is_on_disk=False)
        finally:
            self._passing -= 1
            self._has_passed.set()

    async def tend(self) -> bool:
        """Do one step; True if nothing is in memory."""
        if self.ring is None:
            return True
        self._note.write(self.ring.custody.numbers)
        if self._disk.is_stuck:
            return False
        try:
            await self._disk.do(Job(run=_probe, is_write=True, is_append=True, is_urgent=True))
            await self._move(self.ring)
        except LinkError as exc:
            self.cause = exc.cause
            self._counters.add("disk_probes_failed")
            return False
        return True

    async def close(self) -> None:
        """Move what is in memory to the disk, or say that it is lost."""
        ring = self.ring
        if ring is None:
            return
        if await self.tend():
            return
        numbers = {name: item.next_seq - 1 for name, item in ring.custody.numbers.items()}
        log.error("outbox_memory_lost", cause=self.cause, streams=numbers)
        await ring.desk.close(Job(run=Store.seal_all, is_write=True, is_last=True))

    async def _move(self, ring: Ring) -> None:
        moved = 0
        while not (load := await ring.desk.do(Job(run=moving.lift, is_write=True))).is_all:
            moved += await self._move_part(ring, load)
        async with self._closed():
            while (load := await ring.desk.do(Job(run=moving.lift, is_write=True, is_urgent=True))).batches:
                moved += await self._move_part(ring, load)
            twice = await self._take_over_runs(ring)
            self.ring = None
            self.cause = ""
        await ring.desk.close(Job(run=Store.seal_all, is_write=True, is_last=True))
        await self._disk.do(Job(run=lambda _: self._note.remove()))
        self._counters.add("records_in_memory_and_on_disk", twice)
        log.info("outbox_on_disk_again", moved_batches=moved, twice=twice)

    async def _move_part(self, ring: Ring, load: moving.Load) -> int:
        added: int = await self._disk.do(
            Job(run=lambda store: moving.stow(store, load), is_write=True, is_append=True, is_urgent=True)
        )
        await ring.desk.do(Job(run=lambda store: moving.let_go(store, load), is_write=True, is_urgent=True))
        return added

    async def _take_over_runs(self, ring: Ring) -> int:
        runs = {
            run: await ring.desk.do(Job(run=lambda store, run=run: store.stored_no(*run)))  # type: ignore[misc]
            for run in ring.begun
        }
        rest = moving.Rest(runs, ring.begun, ring.held_back.items)
        twice: int = await self._disk.do(
            Job(run=lambda store: moving.stow_rest(store, rest), is_write=True, is_append=True)
        )
        for run, last_no in runs.items():
            self.note(run, last_no)
        return twice

    @asynccontextmanager
    async def _closed(self) -> AsyncIterator[None]:
        """Hold up new appends, and wait for those under way."""
        self._is_open.clear()
        try:
            while self._passing:
                self._has_passed.clear()
                await self._has_passed.wait()
            yield
        finally:
            self._is_open.set()


def _probe(store: Store) -> None:
    """Write something: an empty transaction does not touch the disk."""
    moving_rows.note_probe(store.shelf.db)
