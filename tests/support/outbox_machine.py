"""The real writer of the outbox, its thread never started, driven through any schedule of faults against a model.

Crash: the files are copied as they lie while the transaction runs, and the copy is opened, as after ``kill -9`` (what a
power cut does is the business of tests/support/powercut). Full disk, failing disk: from the n-th statement of a
transaction on SQLite answers as it then does. Damage: bytes of a file are changed or cut off while the gateway is off.
"""

import random
import shutil
import sqlite3
import tempfile
from collections import Counter as Tally
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from unittest import mock

import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.batch import Batch
from contracts.codec import decode_batch
from contracts.errors import LinkError
from contracts.payloads import Alarm
from contracts.receipt import Receipt
from contracts.records import Clock, ClockState, Observation, class_of
from gateway.counters import Counters
from gateway.outbox.models import Lane
from gateway.outbox.quarantine import Quarantine
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.writer import Job, Writer
from tests.support.gateway_records import (
    GATEWAY,
    SITE,
    ManualClock,
    ais,
    crane_cycle,
    limits,
    log_line,
    observation,
    wind,
)  # fmt: skip
from tests.support.outbox_model import Model

RUNS = ("a", "b")
ROOMY_BYTES = 10**9
TIGHT_BYTES = 24_000
ROOM_BYTES = 10**6
STEP_NS = 7 * 10**9
"""Between two observations: a minute holds nine, so that there is something to thin."""
FAULTS = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)
ANSWERS = (
    "committed at once", "committed at once", "committed, late", "committed, receipt lost", "refused at once",
    "refused, late",
)  # fmt: skip
EVENTS = (
    "uplink_turns", "uplink_turns", "time_passes", "time_passes", "clock_jumps", "cap_changes", "disk_fails",
    "disk_recovers", "disk_recovers", "quarantine_fills", "gateway_restarts", "killed_before_the_commit",
    "files_are_damaged",
)  # fmt: skip

Result = TypeVar("Result")
_REAL_CONNECT = sqlite3.connect


def alarm(number: int) -> Observation:
    """Return an alarm."""
    return observation(Alarm(alarm="approach_speed", severity="alarm", is_active=True), at_ns=number)


MAKERS = {"track": ais, "telemetry": wind, "crane_cycle": crane_cycle, "log": log_line, "alarm": alarm}


class FaultyConnection(sqlite3.Connection):
    """Fails like a disk, while told to: from the n-th statement that writes on."""

    fault = 0
    after = 0

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Execute or fail."""
        kind = FaultyConnection
        if kind.fault and not sql.startswith(("SELECT", "PRAGMA", "ROLLBACK")):
            if kind.after <= 0:
                error = sqlite3.OperationalError("the disk fails")
                error.sqlite_errorcode = kind.fault
                raise error
            kind.after -= 1
        return super().execute(sql, *parameters)


class OutboxMachine(RuleBasedStateMachine):
    """See the module. What came to pass is counted over all schedules."""

    statistics: ClassVar[Tally[str]] = Tally()

    @initialize(may_be_damaged=st.booleans())
    def begin(self, *, may_be_damaged: bool) -> None:
        """Half of the schedules have no damage, and no number may be declared damaged in them."""
        self.may_be_damaged = may_be_damaged
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        FaultyConnection.fault = 0
        self.connecting = mock.patch("sqlite3.connect", partial(_REAL_CONNECT, factory=FaultyConnection))
        self.connecting.start()
        # ids of stores by turn: damage at a byte must mean the same at every replay of a schedule
        self.naming = mock.patch("secrets.token_hex", side_effect=(f"{n:016x}" for n in count(1)))
        self.naming.start()
        self.root = Path(tempfile.mkdtemp(prefix="outbox", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
        self.lives = 0
        self.folder = self.root / "0"
        self.folder.mkdir()
        self.clock = ManualClock()
        self.model = Model()
        self.made = 0
        self.last_no = dict.fromkeys(RUNS, 0)
        self.unanswered: dict[str, list[Observation]] = {run: [] for run in RUNS}
        self.is_hungry = False
        self.receipts: list[Receipt] = []
        self.max_bytes = ROOMY_BYTES
        self.open()

    def open(self) -> None:
        self.sealing = SealingPolicy(5, 1.0)
        self.sealing.is_hungry = self.is_hungry
        path = self.folder / "outbox.db"
        self.writer = Writer(
            path, (SITE, GATEWAY), self.sealing, limits(self.max_bytes, self.clock), 0.0, self.clock, Counters()
        )
        self.writer._commit([])

    def teardown(self) -> None:
        if hasattr(self, "root"):
            self.statistics["schedules"] += 1
            for stream in self.model.cloud.values():
                self.statistics["received"] += len(stream.has)
                self.statistics.update(f"declared {reason}" for reason in stream.gaps.values())
            self.close()
            self.connecting.stop()
            self.naming.stop()
            shutil.rmtree(self.root)

    def close(self) -> None:
        FaultyConnection.fault = 0
        if self.writer._db is not None:
            self.writer._db.close()
        self.writer.custody.close()

    def do(self, job: Job[Result]) -> Result:
        self.writer._commit([job])
        return job.future.result(timeout=0)

    def current(self, item: Observation) -> str:
        assert self.writer._store is not None
        return self.writer._store._streams.current(class_of(item.payload)).stream_id

    def make(self, kinds: list[str]) -> list[Observation]:
        made = []
        for kind in kinds:
            self.made += 1
            item = MAKERS[kind](self.made)
            state = ClockState.NTP if self.clock.is_steered else ClockState.UNSYNCED
            fields = {name: getattr(item, name) for name in item.__struct_fields__}
            at_ns = self.made * STEP_NS
            made.append(Observation(**fields | {"observed_at_ns": at_ns, "mono_ns": at_ns, "clock": Clock(state)}))
        return made

    # --- drivers -----------------------------------------------------------------------------------------------

    @rule(
        run=st.sampled_from(RUNS),
        kinds=st.lists(st.sampled_from(sorted(MAKERS)), min_size=1, max_size=12),
        is_answer_lost=st.booleans(),
    )
    def driver_sends(self, run: str, kinds: list[str], *, is_answer_lost: bool) -> None:
        """A driver sends what it has no answer for, and something new; it keeps what is not said to be stored."""
        items = self.unanswered[run] + self.make(kinds)
        before = self.begin_again_if_forgotten(run)
        last_no = self.last_no[run] + len(items)
        job = Job(run=lambda store: store.append("ais", run, last_no, items), is_write=True, is_append=True)
        try:
            answer = self.do(job)
        except LinkError:
            self.statistics["refused_appends"] += 1
            self.unanswered[run] = items
            if not FaultyConnection.fault:
                raise
            return
        assert answer == last_no
        self.statistics["stored"] += len(items)
        self.note_stored(run, items, before)
        if is_answer_lost:
            self.unanswered[run] = items
        else:
            self.unanswered[run] = []
            self.last_no[run] = last_no

    def note_stored(self, run: str, items: list[Observation], before: int) -> None:
        # a store that was salvaged may have forgotten the run: what is sent again is then stored again
        for item in items[max(0, before - self.last_no[run]) :]:
            self.model.produced[self.current(item)].append(item)

    def begin_again_if_forgotten(self, run: str) -> int:
        """Return the stored number; a driver whose run a salvaged store forgot begins anew with what it holds."""
        stored_no = self.stored_no(run)
        self.last_no[run] = min(self.last_no[run], stored_no)
        return stored_no

    def stored_no(self, run: str) -> int:
        try:
            return self.do(Job(run=lambda store: store.stored_no("ais", run)))
        except LinkError:
            assert FaultyConnection.fault
            return self.last_no[run]

    # --- the cloud ---------------------------------------------------------------------------------------------

    @rule(lane=st.sampled_from(list(Lane)), limit=st.integers(1, 4), answer=st.sampled_from(ANSWERS))
    def cloud_takes(self, lane: Lane, limit: int, answer: str) -> None:
        """Batches arrive and are answered; receipts come at once, or when they come, or never."""
        try:
            given = self.do(Job(run=lambda store: store.next_batches(lane, frozenset(), limit, ROOM_BYTES, 0)))
        except LinkError:
            assert FaultyConnection.fault
            return
        for stored in given:
            batch = decode_batch(stored.data)
            self.statistics["given"] += 1
            is_refused = answer.startswith("refused")
            receipt = self.model.refuse(batch, stored.digest) if is_refused else self.model.take(batch)
            if answer.endswith("at once"):
                self.settle(receipt)
            elif answer.endswith("late"):
                self.receipts.append(receipt)

    @precondition(lambda self: self.receipts)
    @rule(which=st.integers(0, 10**6), is_repeated=st.booleans())
    def receipt_arrives(self, which: int, *, is_repeated: bool) -> None:
        """Any of those under way, once or more: late, out of order, after a crash, after a salvage."""
        index = which % len(self.receipts)
        self.settle(self.receipts[index] if is_repeated else self.receipts.pop(index))

    def settle(self, receipt: Receipt) -> None:
        job = Job(run=lambda store: store.settle(receipt, None, self.clock.wall_ns()), is_write=True)
        try:
            self.statistics["settled" if self.do(job) is not None else "unknown_receipts"] += 1
        except LinkError:
            assert FaultyConnection.fault

    # --- the device --------------------------------------------------------------------------------------------

    @rule(event=st.sampled_from(EVENTS), seed=st.integers(0, 2**32))
    def happens(self, event: str, seed: int) -> None:
        """Something happens to the device. One rule, so that drivers and cloud have their turns."""
        self.statistics[event] += 1
        getattr(self, event)(random.Random(seed))

    def uplink_turns(self, dice: random.Random) -> None:
        self.is_hungry = self.sealing.is_hungry = dice.random() < 0.5

    def time_passes(self, dice: random.Random) -> None:
        passed_s = dice.choice((0.0, 0.4, 2.0, 90.0))
        self.clock.now_s += passed_s
        self.clock.now_ns += int(passed_s * 1e9)
        self.writer._commit([])

    def clock_jumps(self, dice: random.Random) -> None:
        """Both ways, before and after the first sync: nothing is reordered, expires or is given up by it."""
        self.clock.now_ns = max(0, self.clock.now_ns + dice.choice((-(10**9), -3600, 3600, 10**9)) * 10**9)
        self.clock.is_steered = dice.random() < 0.5
        self.writer._commit([])

    def cap_changes(self, dice: random.Random) -> None:
        """Under a tight cap what there is gets thinned, and dropped; alarms by none but alarms."""
        self.max_bytes = dice.choice((TIGHT_BYTES, ROOMY_BYTES))
        self.writer._limits = limits(self.max_bytes, self.clock)
        if self.writer._store is not None:
            self.writer._store._pressure._limits = self.writer._limits
        self.writer._commit([])

    def disk_fails(self, dice: random.Random) -> None:
        """From some statement on every write fails."""
        FaultyConnection.fault, FaultyConnection.after = dice.choice(FAULTS), dice.randint(0, 12)

    def disk_recovers(self, _: random.Random) -> None:
        """No restart is needed."""
        FaultyConnection.fault = 0
        self.do(Job(run=lambda store: store.seal_all(), is_write=True, is_append=True))
        assert not self.writer.report.trouble

    def quarantine_fills(self, dice: random.Random) -> None:
        """What cannot be set aside stays where it is."""
        quarantine = Quarantine(self.folder / "outbox.quarantine")
        if dice.random() < 0.5:
            quarantine.put = mock.Mock(side_effect=OSError(28, "No space left on device"))  # type: ignore[method-assign]
        self.writer._quarantine = quarantine
        if self.writer._store is not None:
            self.writer._store._shelf._quarantine = quarantine

    def gateway_restarts(self, dice: random.Random) -> None:
        """In an orderly way, or killed with whatever lay in the files."""
        if dice.random() < 0.3:
            self.close()
        else:
            self.live_on_a_copy()
        self.open()

    def killed_before_the_commit(self, dice: random.Random) -> None:
        """Nothing of the append is there; the driver has it still."""
        if self.writer._db is None or self.writer._store is None or FaultyConnection.fault:
            return
        run = dice.choice(RUNS)
        before = self.stored_no(run)
        self.begin_again_if_forgotten(run)
        items = self.unanswered[run] + self.make(dice.choices(sorted(MAKERS), k=dice.randint(1, 12)))
        self.writer._db.execute("BEGIN IMMEDIATE")
        self.writer._store.append("ais", run, self.last_no[run] + len(items), items)
        if dice.random() < 0.5:
            self.writer._store.flush(self.clock.mono_s())
        self.live_on_a_copy()
        self.open()
        assert self.stored_no(run) == before
        self.unanswered[run] = items

    def files_are_damaged(self, dice: random.Random) -> None:
        """Bytes are changed, or the end is cut off; the gateway starts all the same and tells what is lost."""
        self.live_on_a_copy()
        path = self.folder / dice.choice(("outbox.db", "outbox.db", "outbox.db-wal", "outbox.mark"))
        if self.may_be_damaged and path.exists() and path.stat().st_size:
            data = bytearray(path.read_bytes())
            if dice.random() < 0.3:
                del data[dice.randrange(len(data)) :]
            else:
                for _ in range(dice.choice((1, 1, 30))):
                    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            path.write_bytes(data)
            self.model.is_damaged = True
        self.open()
        assert self.writer._db is not None, self.writer.report.trouble

    def live_on_a_copy(self) -> None:
        self.lives += 1
        folder = self.root / str(self.lives)
        folder.mkdir()
        for path in self.folder.iterdir():
            if not path.name.endswith("-shm"):
                shutil.copy(path, folder)
        self.close()
        shutil.rmtree(self.folder)
        self.folder = folder

    # --- the model ---------------------------------------------------------------------------------------------

    def on_disk(self) -> dict[str, list[Batch]]:
        found: dict[str, list[Batch]] = {}
        db = _REAL_CONNECT(f"file:{self.folder / 'outbox.db'}?mode=ro", uri=True)
        try:
            rows = db.execute("SELECT stream_id, data FROM batches JOIN streams ON streams.id = stream").fetchall()
        finally:
            db.close()
        for stream_id, data in rows:
            found.setdefault(stream_id, []).append(decode_batch(data))
        return found

    @invariant()
    def every_number_is_explained(self) -> None:
        if not hasattr(self, "root"):
            return
        self.statistics["steps"] += 1
        self.model.check(self.on_disk())
