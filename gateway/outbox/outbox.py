"""The outbox as the rest of the gateway sees it: the asynchronous face of the writer thread.

One file because each method is one question to the same two desks, disk and memory, and appends of a run must keep
their order between them.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from contracts.errors import LinkError, PeerError
from contracts.receipt import Receipt
from contracts.records import Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.bounds import limits_of
from gateway.outbox.desk import Desk
from gateway.outbox.fallback import Fallback
from gateway.outbox.job import Job
from gateway.outbox.line import Line, Place
from gateway.outbox.models import URGENT_CLASSES, Appended, Lane, OutboxStats, StoredBatch
from gateway.outbox.packing import BatchRow, classes_of, encode
from gateway.outbox.ports import OutboxClock
from gateway.outbox.ring import Ring, Run
from gateway.outbox.salvage.models import Damage
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.store import Store
from gateway.outbox.writer import Writer

TEND_INTERVAL_S = 1.0
"""While new records are in memory the disk is tried this often; it is local, so that nobody else is bothered."""
DISK_REASONS = frozenset({"disk", "full"})
"""Failures of the disk, as against those of the caller."""

Result = TypeVar("Result")


class Outbox:
    """Observations in, sealed batches out, deleted by receipt only. Goes on in memory while the disk takes nothing.

    Args:
        path: database file; its folder is made if need be.
        site: site id.
        gateway: gateway id.
        settings: caps and intervals.
        clock: time of the device.
        counters: where discards are counted.
        amend: returns what travels of a stored batch, the same at every resend; called on the writer's thread.
    """

    def __init__(
        self,
        path: Path,
        site: str,
        gateway: str,
        settings: OutboxSettings,
        clock: OutboxClock,
        counters: Counters,
        amend: Callable[[BatchRow], bytes] | None = None,
    ) -> None:
        owner = (site, gateway)
        self._clock = clock
        self._counters = counters
        self._sealing = SealingPolicy(settings.seal_records, settings.seal_after_ms / 1000)
        limits = limits_of(settings, path, clock)
        writer = Writer(path, owner, self._sealing, limits, settings.group_commit_ms / 1000, clock, counters)
        if amend is not None:
            writer.amend = amend
        self._disk = Desk(writer, clock, settings.disk_timeout_s)
        self._fallback = Fallback(path, owner, settings, clock, counters, self._disk)
        self._fallback.prepare = self._prepare
        writer.on_open = self._fallback.opened
        writer.on_greeted = self._fallback.greeted
        self._line = Line()
        self._is_closed = False

    def start(self, on_sealed: Callable[[], None]) -> None:
        """Start the writer thread.

        Args:
            on_sealed: called on the running event loop when there is a batch to send.
        """
        loop = asyncio.get_running_loop()
        self._disk.writer.on_sealed = lambda: _notify(loop, on_sealed)
        self._disk.writer.start()

    async def run(self) -> None:
        """Look after a disk that takes nothing, until cancelled."""
        while True:
            await self.tend()
            await asyncio.sleep(TEND_INTERVAL_S)

    async def tend(self) -> None:
        """Do one step of that: try the disk, and move to it what is in memory."""
        await self._fallback.tend()

    async def close(self) -> None:
        """Seal what lies open and close the database; gives up on a disk that does not answer.

        Raises:
            LinkError: the disk does not answer.
        """
        if self._is_closed:
            return
        self._is_closed = True
        await self._fallback.close()
        await self._disk.close(Job(run=Store.seal_all, is_write=True, is_append=True, is_last=True))

    async def append(self, source: str, run_id: str, last_no: int, observations: Sequence[Observation]) -> Appended:
        """Store the observations that end with number ``last_no`` of a run; returns after the commit.

        Repeating it changes nothing: the number is stored in the same transaction.

        Args:
            source: id of the driver instance.
            run_id: its run.
            last_no: number of the last observation, from 1.
            observations: in order, without holes.

        Returns:
            The last number of the run that is stored, and whether on the disk: if the disk fails, or does not answer
            within ``disk_timeout_s``, it is in memory.

        Raises:
            LinkError: not even memory takes them now; the driver keeps them.
            PeerError: they leave a hole, or contain a gap (reason ``bad_frame``).
        """
        # here and not on the writer's thread, which meanwhile waits for the disk with the group before
        bodies = encode(observations)
        run = (source, run_id)
        with self._line.join(run) as place:
            while True:
                self._check_open()
                job = _append_job(run, last_no, observations, bodies)
                if self._fallback.ring is None and self._line.may_use_disk(run, place):
                    appended = await self._append_to_disk(run, place, job)
                    if appended is not None:
                        return appended
                try:
                    await self._line.first(run, place)
                    kept = await self._fallback.append(run, last_no, observations, bodies)
                    job.settle_fate(is_kept_elsewhere=kept is not None)
                finally:
                    job.settle_fate(is_kept_elsewhere=False)
                if kept is not None:
                    return kept

    async def stored_no(self, source: str, run_id: str) -> int:
        """Return the last number of a run that is stored, 0 if none."""
        return await self._fallback.stored_no((source, run_id))

    def set_hungry(self, is_hungry: bool) -> None:  # noqa: FBT001 - the one thing it says
        """Say whether the uplink would take a new batch at once.

        While it would, a group is sealed in the commit that stores it; else groups are written open and joined.
        """
        self._sealing.is_hungry = is_hungry
        if self._fallback.ring is not None:
            self._fallback.ring.sealing.is_hungry = is_hungry

    async def next_batches(
        self, lane: Lane, exclude: Collection[int], limit: int, room_bytes: int
    ) -> list[StoredBatch]:
        """Return batches of a lane to send, oldest first (lifts behind alarms); those in memory before the others.

        Args:
            lane: which.
            exclude: ids that are in flight.
            limit: at most so many.
            room_bytes: at most so many bytes, but at least one batch.

        Raises:
            LinkError: the disk does not answer.
        """
        self._check_open()
        now_ns = self._clock.wall_ns()
        found: list[StoredBatch] = []
        for desk in self._fallback.desks():
            number = limit - len(found)
            room = room_bytes - sum(len(batch.data) for batch in found)
            if number <= 0 or (found and room <= 0):
                break
            job = Job(run=lambda store, n=number, room=room: store.next_batches(lane, exclude, n, room, now_ns))  # type: ignore[misc]
            more: list[StoredBatch] = await self._ask(desk, job, [])
            found += [batch for batch in more if not found or len(batch.data) <= room]
        return found

    async def read_batch(self, batch_id: int) -> StoredBatch | None:
        """Return one batch, None if it is gone.

        Raises:
            LinkError: the disk does not answer.
        """
        self._check_open()
        now_ns = self._clock.wall_ns()
        desk = self._fallback.desk_of(batch_id)
        if desk is None:
            return None
        return await self._ask(desk, Job(run=lambda store: store.read_batch(batch_id, now_ns)), None)

    async def settle(self, receipts: Sequence[tuple[Receipt, int | None]]) -> list[int]:
        """Delete or set aside what receipts name; unknown ones are counted and ignored.

        Args:
            receipts: each with the id of its batch, where the receipt names it by digest only.

        Returns:
            Ids of the batches that are gone.

        Raises:
            LinkError: the disk does not answer; the cloud will be asked again by the next resend.
        """
        self._check_open()
        now_ns = self._clock.wall_ns()
        gone: list[int] = []
        for desk, share in self._fallback.shares(receipts):

            def run(store: Store, share: Sequence[tuple[Receipt, int | None]] = share) -> list[int]:
                settled = [store.settle(receipt, batch_id, now_ns) for receipt, batch_id in share]
                return [batch_id for batch_id in settled if batch_id is not None]

            gone += await self._ask(desk, Job(run=run, is_write=True), [])
        return gone

    async def seal_all(self) -> None:
        """Seal what lies open now.

        Raises:
            LinkError: the disk does not answer.
        """
        self._check_open()
        for desk in self._fallback.desks():
            job = Job(run=Store.seal_all, is_write=True, is_append=True, is_urgent=True)
            await self._ask(desk, job, 0)

    async def stats(self) -> OutboxStats:
        """Return the state of the outbox; while new records are in memory, of both.

        Raises:
            LinkError: the disk does not answer.
        """
        self._check_open()

        def run(store: Store) -> OutboxStats:
            streams, oldest_age_s = store.streams(self._clock.age_s)
            return OutboxStats(streams, store.used_bytes(), store.capacity_bytes(), oldest_age_s, store.quarantined())

        parts = [await self._ask(desk, Job(run=run), None) for desk in self._fallback.desks()]
        return self._fallback.stats([part for part in parts if part is not None])

    @property
    def trouble(self) -> str:
        """Why nothing can be stored on the disk now; empty if all is well."""
        if self._fallback.ring is not None:
            return f"{self._fallback.cause}; new records are kept in memory only"
        return self._disk.writer.report.trouble

    def take_damages(self) -> list[Damage]:
        """Return the damaged databases set aside since the last call."""
        damages = list(self._disk.writer.custody.damages)
        del self._disk.writer.custody.damages[: len(damages)]
        return damages

    async def _append_to_disk(self, run: Run, place: Place, job: Job[int]) -> Appended | None:
        """Have an append done by the disk; None: it goes to memory, and all that wait for the disk with it."""
        place.is_with_disk = True
        try:
            stored_no = await self._disk.do(job, is_in_line=True)
        except LinkError as exc:
            if exc.reason not in DISK_REASONS:
                raise
            self._fallback.turn(exc.cause)
            self._disk.give_up_line()
        except PeerError:
            # an append of the same run that was before this one in the queue may have gone to memory
            if self._fallback.ring is None:
                raise
        else:
            self._fallback.note(run, stored_no)
            return Appended(stored_no)
        finally:
            place.is_with_disk = False
        return None

    async def _ask(self, desk: Desk, job: Job[Result], otherwise: Result) -> Result:
        """Have a job done; while new records are in memory a disk that fails is passed over."""
        try:
            return await desk.do(job)
        except LinkError:
            if self._fallback.ring is None or desk is not self._disk:
                raise
            self._counters.add("disk_passed_over")
            return otherwise

    def _prepare(self, ring: Ring) -> None:
        ring.sealing.is_hungry = self._sealing.is_hungry
        ring.desk.writer.on_sealed = self._disk.writer.on_sealed
        ring.desk.writer.amend = self._disk.writer.amend

    def _check_open(self) -> None:
        if self._is_closed:
            raise LinkError("use outbox", "database", "it is closed", "the gateway is stopping", "closed")


def _append_job(run: Run, last_no: int, observations: Sequence[Observation], bodies: Sequence[bytes]) -> Job[int]:
    return Job(
        run=lambda store: store.append(*run, last_no, observations, bodies),
        is_write=True,
        is_append=True,
        is_urgent=not URGENT_CLASSES.isdisjoint(classes_of(observations)),
        size_bytes=sum(map(len, bodies)),
    )


def _notify(loop: asyncio.AbstractEventLoop, on_sealed: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(on_sealed)
