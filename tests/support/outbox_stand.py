"""An outbox without threads, its files, its drivers and its cloud: what the schedules of ``outbox_machine`` act on.

Crash: the files are copied as they lie while the transaction runs, and the copy is opened, as after ``kill -9`` (what a
power cut does is the business of tests/support/powercut).
"""

import shutil
import tempfile
from collections import Counter as Tally
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from contracts.batch import Batch
from contracts.codec import decode_batch
from contracts.receipt import Receipt
from contracts.records import ClockState, Observation, class_of
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.outbox import Outbox
from gateway.outbox.ring import Ring
from gateway.outbox.writer import Writer
from tests.support.gateway_records import GATEWAY, SITE, ManualClock, limits
from tests.support.outbox_feed import made
from tests.support.outbox_model import Model
from tests.support.outbox_threadless import REAL_CONNECT, FaultyConnection, now, take_threads_away

RUNS = ("a", "b")
ROOMY_BYTES = 10**9


class OutboxStand(RuleBasedStateMachine):
    """See the module. What came to pass is counted over all schedules."""

    statistics: ClassVar[Tally[str]] = Tally()

    @initialize(may_be_damaged=st.booleans())
    def begin(self, *, may_be_damaged: bool) -> None:
        """Half of the schedules have no damage, and no number may be declared damaged in them."""
        self.may_be_damaged = may_be_damaged
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        FaultyConnection.fault = 0
        self.patchers: list[Any] = []
        take_threads_away(self.patch)
        self.root = Path(tempfile.mkdtemp(prefix="outbox", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
        self.lives = 0
        self.folder = self.root / "0"
        self.folder.mkdir()
        self.clock = ManualClock()
        self.model = Model()
        self.made = 0
        self.last_no = dict.fromkeys(RUNS, 0)
        self.run_ids = {run: run for run in RUNS}
        self.begun = 0
        self.unanswered: dict[str, list[Observation]] = {run: [] for run in RUNS}
        self.is_hungry = False
        self.receipts: list[Receipt] = []
        self.max_bytes = self.ring_bytes = ROOMY_BYTES
        self.is_quarantine_full = False
        self.open()

    def patch(self, target: Any, name: str, new: object) -> None:
        patcher = mock.patch.object(target, name, new)
        patcher.start()
        self.patchers.append(patcher)

    def open(self) -> None:
        path = self.folder / "outbox.db"
        settings = OutboxSettings().model_copy(
            update={"group_commit_ms": 1, "seal_records": 5, "seal_after_ms": 1000, "ring_bytes": self.ring_bytes}
        )
        self.outbox = Outbox(path, SITE, GATEWAY, settings, self.clock, Counters())
        self.outbox.set_hungry(self.is_hungry)
        self.writer._limits = limits(self.max_bytes, self.clock)
        self.noted: dict[str, int] = {}
        self.writer.start()

    @property
    def writer(self) -> Writer:
        """The writer of the disk."""
        return self.outbox._disk.writer

    @property
    def ring(self) -> Ring | None:
        """What is kept in memory, None while the disk is well."""
        return self.outbox._fallback.ring

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self.statistics["schedules"] += 1
            for stream in self.model.cloud.values():
                self.statistics["received"] += len(stream.has)
                self.statistics.update(f"declared {reason}" for reason in stream.gaps.values())
            self.end()
            for patcher in self.patchers:
                patcher.stop()
            shutil.rmtree(self.root)

    def end(self) -> None:
        """End the process: what is in memory is gone."""
        FaultyConnection.fault = 0
        ring = self.ring
        if ring is not None:
            self.model.ring_was_lost({name: self.noted.get(name, 1) for name in ring.custody.numbers})
        for writer in [self.writer] if ring is None else [self.writer, ring.desk.writer]:
            if writer._db is not None:
                writer._db.close()
            writer.custody.close()

    def current(self, item: Observation, *, is_on_disk: bool) -> str:
        if not is_on_disk:
            assert self.ring is not None
        store = (self.writer if is_on_disk or self.ring is None else self.ring.desk.writer)._store
        assert store is not None
        return store._streams.current(class_of(item.payload)).stream_id

    def tend(self) -> None:
        """What the outbox does each second."""
        numbers = {} if self.ring is None else dict(self.ring.custody.numbers)
        now(self.outbox.tend())
        self.noted |= {name: item.next_seq for name, item in numbers.items()}

    def make(self, kinds: list[str]) -> list[Observation]:
        state = ClockState.NTP if self.clock.is_steered else ClockState.UNSYNCED
        items = [made(kind, number, state) for number, kind in enumerate(kinds, self.made + 1)]
        self.made += len(items)
        return items

    def is_disk_in_trouble(self) -> bool:
        """Damage, too, is found only where it is met: then a first request fails, and a salvage follows."""
        return bool(FaultyConnection.fault) or self.is_quarantine_full or self.model.is_damaged

    def hello(self, run: str) -> int:
        """Return the stored number; a driver whose run was forgotten begins another with what it holds (ADR 0015)."""
        stored_no = now(self.outbox.stored_no("ais", self.run_ids[run]))
        if stored_no < self.last_no[run]:
            # by damage, with what was in memory, or while the disk does not say: else nothing forgets a run
            assert self.is_disk_in_trouble() or self.model.lost_from or self.ring is not None
            self.begun += 1
            self.run_ids[run] = f"{run}{self.begun}"
            self.last_no[run] = 0
            return 0
        return stored_no

    def live_on_a_copy(self) -> None:
        self.lives += 1
        folder = self.root / str(self.lives)
        folder.mkdir()
        for path in self.folder.iterdir():
            if not path.name.endswith("-shm"):
                shutil.copy(path, folder)
        self.end()
        shutil.rmtree(self.folder)
        self.folder = folder

    def buffered(self) -> dict[str, list[Batch]]:
        """Return what lies on the disk and in memory; a part that is being moved lies in both, and counts once."""
        query = "SELECT stream_id, first_seq, data FROM batches JOIN streams ON streams.id = stream"
        db = REAL_CONNECT(f"file:{self.folder / 'outbox.db'}?mode=ro", uri=True)
        try:
            rows = db.execute(query).fetchall()
        finally:
            db.close()
        if self.ring is not None:
            assert self.ring.desk.writer._db is not None
            there = {row[:2] for row in rows}
            rows += [row for row in self.ring.desk.writer._db.execute(query).fetchall() if row[:2] not in there]
        found: dict[str, list[Batch]] = {}
        for stream_id, _, data in rows:
            found.setdefault(stream_id, []).append(decode_batch(data))
        return found
