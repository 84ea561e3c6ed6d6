"""The outbox in memory, for as long as the disk takes nothing: the same store on a database that no file holds.

It has a store id of its own, so that its streams never continue those of the disk: what the disk holds and what it may
yet have taken in a commit that never answered stays apart from what is only here. It is bounded in bytes; what does
not fit is thinned, then dropped, alarms last, and declared (reason ``ring_overflow``). Its batches have ids of their
own range, so that the uplink can hold some of both. It refuses to promise anything: a driver is told that its records
are not on the disk.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from contracts.ids import split_stream_id
from contracts.records import Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.bounds import ring_limits_of
from gateway.outbox.database import open_in_memory
from gateway.outbox.desk import Desk
from gateway.outbox.job import Job
from gateway.outbox.mark import Numbers
from gateway.outbox.parts import Parts
from gateway.outbox.ports import OutboxClock
from gateway.outbox.quarantine import SetAside
from gateway.outbox.salvage.models import Damage
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.store import Store
from gateway.outbox.writer import Writer

FIRST_ID = 2**40
"""Ids of the first ring's batches begin here, those of the next one as much higher: no disk ever comes so far."""
MAX_SET_ASIDE = 100
"""Batches that the cloud refused, kept for the side file on the disk: 1 MB; beyond it the oldest go, counted."""
RING_TIMEOUT_S = 5.0
"""Memory answers in milliseconds; a wait this long means that the machine itself is in trouble."""

Run = tuple[str, str]


class MemoryCustody:
    """What ``custody.Custody`` is to a file, for a database that nothing can damage and nothing outlives."""

    def __init__(self, first_id: int) -> None:
        self._first_id = first_id
        self.damages: list[Damage] = []
        self.numbers: dict[str, Numbers] = {}

    def open(self) -> sqlite3.Connection:
        """Make the database."""
        return open_in_memory()

    def check(self, store: Store, db: sqlite3.Connection, now_ns: int) -> None:
        """Give the batches ids of their own range."""
        del db, now_ns
        store.begin_ids(self._first_id)

    def scrub(self, store: Store, now: float, now_ns: int) -> None:
        """Do nothing."""

    def committed(self, store: Store) -> None:
        """Note how far the streams are, for the note on the disk."""
        self.numbers = store.numbers()

    def replace(self, db: sqlite3.Connection, cause: str) -> None:
        """Close it: what is wrong with memory is not mended by a file."""
        del cause
        db.close()

    def close(self) -> None:
        """Do nothing."""


class HeldBack:
    """What ``quarantine.Quarantine`` is to a file: refused batches wait in memory for the disk.

    Args:
        counters: where what no longer fits is counted.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self.items: list[SetAside] = []

    def put(self, item: SetAside) -> None:
        """Keep a batch."""
        self.items.append(item)
        if len(self.items) > MAX_SET_ASIDE:
            del self.items[0]
            self._counters.add("quarantine_pushed_out")

    def count(self) -> int:
        """Return how many are kept."""
        return len(self.items)


class Ring:
    """See the module.

    Args:
        owner: site id and gateway id.
        settings: of the outbox.
        clock: time of the device.
        counters: where discards are counted.
        turn: how many rings there were before in this process.
    """

    def __init__(
        self, owner: tuple[str, str], settings: OutboxSettings, clock: OutboxClock, counters: Counters, turn: int
    ) -> None:
        self.first_id = FIRST_ID * (turn + 1)
        self.sealing = SealingPolicy(settings.seal_records, settings.seal_after_ms / 1000)
        self.custody = MemoryCustody(self.first_id)
        self.held_back = HeldBack(counters)
        limits = ring_limits_of(settings, clock)
        writer = Writer(
            Path("memory"),
            owner,
            self.sealing,
            limits,
            settings.group_commit_ms / 1000,
            clock,
            counters,
            Parts(self.custody, self.held_back, "outbox-ring"),
        )
        self.desk = Desk(writer, clock, RING_TIMEOUT_S)
        self.begun: dict[Run, int] = {}
        """Last number of each run that the disk was known to have when its first records came here."""

    async def append(
        self, run: Run, last_no: int, observations: Sequence[Observation], bodies: Sequence[bytes], known: int | None
    ) -> int:
        """Keep observations; see ``Outbox.append``.

        Args:
            run: source and run id.
            last_no: number of the last observation.
            observations: in order, without holes.
            bodies: the same as JSON.
            known: last number of the run that the disk is known to have; None: not known, then they go on from there.

        Raises:
            PeerError: they leave a hole, or contain a gap (reason ``bad_frame``).
        """
        begins_at = last_no - len(observations) if known is None else known
        self.begun.setdefault(run, begins_at)

        def keep(store: Store) -> int:
            here = store.stored_no(*run)
            if here < begins_at and (here == 0 or known is not None):
                store.begin_run(*run, begins_at)
            return store.append(*run, last_no, observations, bodies)

        size_bytes = sum(map(len, bodies))
        return await self.desk.do(Job(run=keep, is_write=True, is_append=True, size_bytes=size_bytes))

    def holds(self, stream_id: str, batch_id: int | None) -> bool:
        """Tell whether a receipt can be of a batch of this ring."""
        if stream_id:
            return split_stream_id(stream_id)[2] in {split_stream_id(name)[2] for name in self.custody.numbers}
        return batch_id is not None and batch_id >= self.first_id
