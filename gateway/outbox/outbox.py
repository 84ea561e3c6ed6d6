"""The outbox as the rest of the gateway sees it: the asynchronous face of the writer thread."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from contracts.errors import LinkError
from contracts.receipt import Receipt
from contracts.records import Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.bounds import limits_of
from gateway.outbox.models import URGENT_CLASSES, Lane, OutboxStats, StoredBatch
from gateway.outbox.packing import BatchRow, classes_of, encode
from gateway.outbox.ports import OutboxClock
from gateway.outbox.salvage.models import Damage
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.store import Store
from gateway.outbox.writer import Job, Writer

MAX_JOBS = 1024
"""Jobs waiting for the thread: 16 appends of each of 32 drivers and the uplink's, with room to spare; others wait."""
JOB_TIMEOUT_S = 30.0
"""A disk that has not answered for this long counts as failed; the job may still be done, and is idempotent."""
CLOSE_TIMEOUT_S = 5.0

Result = TypeVar("Result")


class Outbox:
    """Observations in, sealed batches out, deleted by receipt only.

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
        self._clock = clock
        self._sealing = SealingPolicy(settings.seal_records, settings.seal_after_ms / 1000)
        self._writer = Writer(
            path,
            (site, gateway),
            self._sealing,
            limits_of(settings, path.parent, clock),
            settings.group_commit_ms / 1000,
            clock,
            counters,
        )
        if amend is not None:
            self._writer.amend = amend
        self._slots = asyncio.Semaphore(MAX_JOBS)
        self._is_closed = False

    def start(self, on_sealed: Callable[[], None]) -> None:
        """Start the writer thread.

        Args:
            on_sealed: called on the running event loop when there is a batch to send.
        """
        loop = asyncio.get_running_loop()
        self._writer.on_sealed = lambda: _notify(loop, on_sealed)
        self._writer.start()

    async def close(self) -> None:
        """Seal what lies open and close the database; gives up on a disk that does not answer."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._do(Job(run=_seal_all, is_write=True, is_append=True, is_last=True))
        finally:
            await asyncio.to_thread(self._writer.join, CLOSE_TIMEOUT_S)

    async def append(self, source: str, run_id: str, last_no: int, observations: Sequence[Observation]) -> int:
        """Store the observations that end with number ``last_no`` of a run; returns after the commit.

        Repeating it changes nothing: the number is stored in the same transaction.

        Args:
            source: id of the driver instance.
            run_id: its run.
            last_no: number of the last observation, from 1.
            observations: in order, without holes.

        Returns:
            The last number of the run that is on disk.

        Raises:
            LinkError: the disk does not take them now; the driver keeps them.
            PeerError: they leave a hole, or contain a gap (reason ``bad_frame``).
        """

        def run(store: Store) -> int:
            return store.append(source, run_id, last_no, observations, bodies)

        # here and not on the writer's thread, which meanwhile waits for the disk with the group before
        bodies = encode(observations)
        is_urgent = not URGENT_CLASSES.isdisjoint(classes_of(observations))
        size_bytes = sum(map(len, bodies))
        return await self._submit(
            Job(run=run, is_write=True, is_append=True, is_urgent=is_urgent, size_bytes=size_bytes)
        )

    async def stored_no(self, source: str, run_id: str) -> int:
        """Return the last number of a run that is on disk, 0 if none.

        Raises:
            LinkError: the disk does not answer.
        """
        return await self._submit(Job(run=lambda store: store.stored_no(source, run_id)))

    def set_hungry(self, is_hungry: bool) -> None:  # noqa: FBT001 - the one thing it says
        """Say whether the uplink would take a new batch at once.

        While it would, a group is sealed in the commit that stores it; else groups are written open and joined.
        """
        self._sealing.is_hungry = is_hungry

    async def next_batches(
        self, lane: Lane, exclude: Collection[int], limit: int, room_bytes: int
    ) -> list[StoredBatch]:
        """Return batches of a lane to send, oldest first (lifts behind alarms).

        Args:
            lane: which.
            exclude: ids that are in flight.
            limit: at most so many.
            room_bytes: at most so many bytes, but at least one batch.

        Raises:
            LinkError: the disk does not answer.
        """
        now_ns = self._clock.wall_ns()
        return await self._submit(Job(run=lambda store: store.next_batches(lane, exclude, limit, room_bytes, now_ns)))

    async def read_batch(self, batch_id: int) -> StoredBatch | None:
        """Return one batch, None if it is gone.

        Raises:
            LinkError: the disk does not answer.
        """
        now_ns = self._clock.wall_ns()
        return await self._submit(Job(run=lambda store: store.read_batch(batch_id, now_ns)))

    async def settle(self, receipts: Sequence[tuple[Receipt, int | None]]) -> list[int]:
        """Delete or set aside what receipts name; unknown ones are counted and ignored.

        Args:
            receipts: each with the id of its batch, where the receipt names it by digest only.

        Returns:
            Ids of the batches that are gone.

        Raises:
            LinkError: the disk does not answer; the cloud will be asked again by the next resend.
        """
        now_ns = self._clock.wall_ns()

        def run(store: Store) -> list[int]:
            settled = [store.settle(receipt, batch_id, now_ns) for receipt, batch_id in receipts]
            return [batch_id for batch_id in settled if batch_id is not None]

        return await self._submit(Job(run=run, is_write=True))

    async def seal_all(self) -> None:
        """Seal what lies open now.

        Raises:
            LinkError: the disk does not answer.
        """
        await self._submit(Job(run=_seal_all, is_write=True, is_append=True, is_urgent=True))

    async def stats(self) -> OutboxStats:
        """Return the state of the outbox.

        Raises:
            LinkError: the disk does not answer.
        """

        def run(store: Store) -> OutboxStats:
            streams, oldest_age_s = store.streams(self._clock.age_s)
            return OutboxStats(streams, store.used_bytes(), store.capacity_bytes(), oldest_age_s, store.quarantined())

        return await self._submit(Job(run=run))

    @property
    def trouble(self) -> str:
        """Why nothing can be stored now; empty if all is well."""
        return self._writer.report.trouble

    def take_damages(self) -> list[Damage]:
        """Return the damaged databases set aside since the last call."""
        damages = list(self._writer.custody.damages)
        del self._writer.custody.damages[: len(damages)]
        return damages

    async def _submit(self, job: Job[Result]) -> Result:
        if self._is_closed:
            raise LinkError("use outbox", "database", "it is closed", "the gateway is stopping", "closed")
        return await self._do(job)

    async def _do(self, job: Job[Result]) -> Result:
        async with self._slots:
            self._writer.submit(job)
            try:
                async with asyncio.timeout(JOB_TIMEOUT_S):
                    return await asyncio.wrap_future(job.future)
            except TimeoutError as exc:
                hint = "the disk may be failing"
                raise LinkError("use outbox", "database", f"no answer in {JOB_TIMEOUT_S:.0f} s", hint, "disk") from exc


def _seal_all(store: Store) -> int:
    return store.seal_all()


def _notify(loop: asyncio.AbstractEventLoop, on_sealed: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(on_sealed)
