"""A real database under pressure: it thins before it drops, tells every number that went, and keeps its alarms."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from contracts.codec import decode_batch
from contracts.payloads import Ais, Alarm, Gap, Log, Payload, Wind
from contracts.records import Clock, ClockState, Observation, Record, RecordClass
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox import pressure_rows
from gateway.outbox.age_policy import SETTLE_S, AgePolicy
from gateway.outbox.bounds import limits_of
from gateway.outbox.database import open_database
from gateway.outbox.eviction_policy import Bound, EvictionPolicy
from gateway.outbox.migration import migrate
from gateway.outbox.pressure import Limits
from gateway.outbox.quarantine import Quarantine
from gateway.outbox.sealing import SealingPolicy
from gateway.outbox.space_policy import DiskSpace, SpacePolicy
from gateway.outbox.store import Store
from tests.support.gateway_records import GATEWAY, SITE, ManualClock

pytestmark = pytest.mark.system  # real databases of many MiB on the disk

S = 10**9
MIB = 1024**2


class Bench:
    """A store whose clock and disk are told what to say."""

    def __init__(self, folder: Path, max_bytes: int = 10**9, bounds: dict[RecordClass, Bound] | None = None) -> None:
        self.path = folder / "outbox.db"
        self.clock = ManualClock()
        self.counters = Counters()
        self.space: DiskSpace | None = None
        self.limits = Limits(
            EvictionPolicy(bounds or {}),
            SpacePolicy(max_bytes, 0.1, 0, 10**12, 64 * 1024),
            lambda: self.space,
            self.clock,
        )
        self.made: dict[RecordClass, int] = dict.fromkeys(RecordClass, 0)
        self.no = 0
        self.reopen()

    def reopen(self) -> None:
        self.db = open_database(self.path)
        quarantine = Quarantine(self.path.with_name("outbox.quarantine"))
        migrate(self.db, (SITE, GATEWAY), quarantine)
        self.db.execute("PRAGMA synchronous = OFF")
        self.store = Store(
            self.db, (SITE, GATEWAY), SealingPolicy(500, 60), self.limits, quarantine, self.counters
        )  # fmt: skip
        self.store.reload(0)

    def append(self, payloads: list[Payload], name: RecordClass) -> None:
        items = [
            Observation(
                observed_at_ns=self.clock.now_ns,
                clock=Clock(ClockState.NTP),
                mono_ns=int(self.clock.now_s * S),
                boot_id=self.clock.boot_id,
                source="a",
                payload=payload,
            )
            for payload in payloads
        ]
        self.no += len(items)
        self.made[name] += len(items)
        self.within(lambda: self.store.append("a", "r", self.no, items))

    def within(self, run: Callable[[], object] = lambda: None) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        run()
        self.store.flush(self.clock.now_s)
        self.store.relieve()
        self.store.flush(self.clock.now_s)
        self.db.execute("COMMIT")
        self.store.committed(self.clock.now_s)
        if self.store.take_shrunk():
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def feed(self, seconds: int) -> None:
        """60 positions of 200 ships, 6 winds and 2 log events a second, an alarm a minute."""
        for _ in range(seconds):
            self.clock.now_s += 1
            self.clock.now_ns += S
            second = int(self.clock.now_s)
            ships = [(second * 60 + n) % 200 for n in range(60)]
            self.append([Ais(msg_type=1, mmsi=each, lon_deg=second / 7, lat_deg=each / 7) for each in ships], _TRACK)
            self.append([Wind(speed_mps=(second * 7 + n) % 23 / 1.7) for n in range(6)], _TELEMETRY)
            self.append([Log(level="info", event=f"event_{second}_{n}") for n in range(2)], _LOG)
            if second % 60 == 0:
                self.append([Alarm(alarm="x", severity="alarm", is_active=True, value=float(second))], _ALARM)

    def records(self, name: RecordClass) -> list[Record]:
        """Return what lies there of a class, after checking that every number made is accounted for once."""
        query = "SELECT data FROM batches WHERE stream IN (SELECT id FROM streams WHERE class = ?) ORDER BY first_seq"
        records = [each for (data,) in self.db.execute(query, (name.value,)) for each in decode_batch(data).records]
        numbers = [seq for each in records for seq in range(each.seq, each.last_seq() + 1)]
        assert numbers == list(range(1, self.made[name] + 1))
        row = self.db.execute("SELECT records, bytes FROM streams WHERE class = ?", (name.value,)).fetchone()
        size = self.db.execute(query.replace("SELECT data", "SELECT total(length(data))"), (name.value,)).fetchone()[0]
        assert row is None or row == (len(numbers), size)
        return records

    def kept(self, name: RecordClass) -> list[Record]:
        return [each for each in self.records(name) if not isinstance(each.payload, Gap)]

    def gaps(self, name: RecordClass) -> list[Gap]:
        return [each.payload for each in self.records(name) if isinstance(each.payload, Gap)]

    def declarations(self, name: RecordClass) -> int:
        query = "SELECT count(*) FROM batches WHERE content = 2 AND stream IN (SELECT id FROM streams WHERE class = ?)"
        return int(self.db.execute(query, (name.value,)).fetchone()[0])


_TRACK, _TELEMETRY, _LOG, _ALARM = RecordClass.TRACK, RecordClass.TELEMETRY, RecordClass.LOG, RecordClass.ALARM
Benches = Callable[..., Bench]


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[Benches]:
    made: list[Bench] = []

    def make(**values: object) -> Bench:
        made.append(Bench(tmp_path, **values))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.db.close()


def test_at_the_cap_minutes_are_thinned_and_nothing_is_dropped_while_that_helps(benches: Benches) -> None:
    bench = benches(max_bytes=400_000)
    bench.feed(600)
    assert bench.store.used_bytes() <= 400_000
    assert bench.counters.total("thinned_track") > 0
    assert bench.counters.total("thinned_telemetry") > 0
    assert not any(gap.reason != "thinned" for name in RecordClass for gap in bench.gaps(name))
    assert len(bench.kept(_LOG)) == bench.made[_LOG]
    assert len(bench.kept(_ALARM)) == bench.made[_ALARM] == 10
    assert bench.made[_TRACK] - len(bench.kept(_TRACK)) == bench.counters.total("thinned_track")


def test_then_the_oldest_of_the_lowest_class_goes_and_its_gap_is_one(benches: Benches) -> None:
    bench = benches(max_bytes=150_000)
    bench.feed(700)
    assert bench.store.used_bytes() <= 150_000
    (log_gap,) = [gap for gap in bench.gaps(_LOG) if gap.reason == "capacity"]
    assert log_gap.first_seq == 1
    assert bench.counters.total("dropped_log_capacity") == log_gap.last_seq
    assert len(bench.kept(_ALARM)) == bench.made[_ALARM]
    assert sum(gap.reason == "capacity" for gap in bench.gaps(_TELEMETRY)) <= 1


def test_without_joining_every_batch_would_leave_its_own_declaration(
    benches: Benches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: of a stream that was dropped for an hour one batch is left; without joining, one a batch."""
    bench = benches(max_bytes=60_000)
    bench.feed(400)
    joined = bench.declarations(_LOG)
    bench.db.close()
    bench.path.unlink()
    monkeypatch.setattr(pressure_rows, "gap_before", lambda *_: None)
    apart = benches(max_bytes=60_000)
    apart.feed(400)
    assert joined == 1
    assert apart.declarations(_LOG) > 5


def test_a_class_pays_for_its_own_cap(benches: Benches) -> None:
    bench = benches(bounds={_LOG: Bound(5_000, 1e9), _ALARM: Bound(1_500, 1e9)})
    bench.feed(900)
    assert {gap.reason for gap in bench.gaps(_LOG)} == {"capacity"}
    assert len(bench.kept(_TRACK)) == bench.made[_TRACK]
    assert 0 < len(bench.kept(_ALARM)) < bench.made[_ALARM]
    assert bench.kept(_ALARM)[-1].seq == bench.made[_ALARM]


def test_what_is_too_old_by_the_monotonic_clock_goes(benches: Benches) -> None:
    bench = benches(bounds={_TRACK: Bound(10**9, 3600)})
    bench.feed(30)
    bench.clock.now_s += 3601
    bench.within()
    (gap,) = bench.gaps(_TRACK)
    assert (gap.first_seq, gap.reason) == (1, "age")
    assert len(bench.kept(_TELEMETRY)) == bench.made[_TELEMETRY]


def test_no_step_of_the_clock_expires_or_evicts_anything(benches: Benches) -> None:
    """Forward 50 years and back, believed and not, in the boot of the records and in the next one."""
    bench = benches(bounds={name: Bound(10**9, 3600) for name in RecordClass})
    bench.feed(30)
    step_over_everything(bench)
    assert not any(bench.gaps(name) for name in RecordClass)


def step_over_everything(bench: Bench) -> None:
    for boot in ("boot1", "boot2"):
        bench.clock.boot_id = boot
        bench.db.close()
        bench.reopen()
        for _ in range(3):
            for step_s, is_steered in ((50 * 365 * 86_400, True), (-50 * 365 * 86_400, True), (10**9, False)):
                bench.clock.is_steered = is_steered
                bench.clock.now_ns += step_s * S
                bench.within()
                bench.clock.now_s += SETTLE_S / 2
                bench.clock.now_ns += int(SETTLE_S / 2) * S
                bench.within()
            bench.clock.now_s, bench.clock.now_ns = bench.clock.now_s - 3 * SETTLE_S / 2, 10**10
            bench.db.close()
            bench.reopen()


def test_with_ages_by_the_wall_clock_a_step_would_cost_everything(
    benches: Benches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the one above."""
    bench = benches(bounds={name: Bound(10**9, 3600) for name in RecordClass})
    bench.feed(30)
    monkeypatch.setattr(
        AgePolicy, "age_s", lambda _self, _mono_s, at_ns, *_, is_time_known: (bench.clock.now_ns - at_ns) / S  # noqa: ARG005
    )  # fmt: skip
    step_over_everything(bench)
    assert any(gap.reason == "age" for name in RecordClass for gap in bench.gaps(name))


def test_when_others_need_the_disk_records_go_and_the_file_gets_shorter(benches: Benches) -> None:
    bench = benches()
    bench.feed(600)
    bench.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = bench.path.stat().st_size
    bench.space = DiskSpace(20 * MIB, 2 * MIB - before // 2)
    for _ in range(20):
        bench.clock.now_s += 1
        bench.within()
    assert bench.path.stat().st_size <= before // 2
    reasons = {gap.reason for name in RecordClass for gap in bench.gaps(name)}
    assert reasons <= {"thinned", "disk_space"}
    assert len(bench.kept(_ALARM)) == bench.made[_ALARM]


def test_a_damaged_database_kept_for_diagnosis_goes_before_any_record(benches: Benches, tmp_path: Path) -> None:
    """Others fill the disk; the damaged copy is as large as what they took."""
    bench = benches()
    bench.feed(300)
    aside = tmp_path / "outbox.db.damaged-1"
    aside.write_bytes(bytes(MIB))
    clock, settings = bench.clock, OutboxSettings()
    of_disk = limits_of(settings, bench.path, clock)
    free = 3 * MIB - bench.path.stat().st_size

    def measure() -> DiskSpace:
        return DiskSpace(30 * MIB, free + (0 if aside.exists() else MIB))

    bench.limits = replace(bench.limits, measure=measure, give_up=of_disk.give_up)
    bench.db.close()
    bench.reopen()
    bench.clock.now_s += 1
    bench.within()
    assert not aside.exists()
    assert not any(bench.gaps(name) for name in RecordClass)
    bench.clock.now_s += 1
    bench.within()  # nothing is left to give up beside the records
    assert not any(bench.gaps(name) for name in RecordClass)


def test_without_handing_pages_back_the_file_would_keep_its_length(
    benches: Benches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the one above."""
    monkeypatch.setattr(pressure_rows, "hand_back", lambda *_: None)
    with pytest.raises(AssertionError):
        test_when_others_need_the_disk_records_go_and_the_file_gets_shorter(benches)


def test_a_damaged_batch_is_declared_damaged_and_does_not_stop_the_making_of_room(benches: Benches) -> None:
    bench = benches(max_bytes=400_000)
    bench.feed(200)
    bench.db.execute("UPDATE batches SET data = x'00' WHERE id = (SELECT min(id) FROM batches WHERE content = 0)")
    bench.limits.eviction.choose([], 10**9, bench.store._pressure.cap(bench.store._pressure.use()))
    bench.feed(400)
    damaged = [gap for name in RecordClass for gap in bench_gaps(bench, name) if gap.reason == "damaged"]
    assert len(damaged) == 1
    assert bench.store.used_bytes() <= 400_000


def test_a_damaged_declaration_does_not_stop_the_making_of_room(benches: Benches) -> None:
    """The gap before the next batch to drop is damaged: it is not joined to, and what comes is taken all the same."""
    bench = benches(max_bytes=60_000)
    bench.feed(300)
    assert bench.declarations(_LOG) == 1
    bench.db.execute("UPDATE batches SET data = x'00' WHERE content = 2")
    bench.feed(300)
    assert bench.store.used_bytes() <= 60_000
    assert bench.declarations(_LOG) == 2


def test_what_is_thinned_is_not_looked_through_each_second(benches: Benches) -> None:
    """After a start with a thinned backlog: once, and not again while a minute of new records is not over."""
    bench = benches(max_bytes=150_000)
    bench.feed(600)
    bench.db.execute("UPDATE batches SET content = 1 WHERE content = 0")
    bench.db.close()
    bench.reopen()
    bench.within()
    newest = dict(bench.db.execute("SELECT stream, max(first_seq) FROM batches GROUP BY stream"))
    bench.append([Wind(speed_mps=1.0)], _TELEMETRY)
    begun_at: list[int] = []

    def note(sql: str) -> None:
        if "content = 0" in sql:
            stream, first_seq = (int(part.split()[0]) for part in sql.split(" = ", 1)[1].split(">= "))
            begun_at.append(first_seq - newest[stream])

    bench.db.set_trace_callback(note)
    for _ in range(3):
        bench.clock.now_s += 2
        bench.within()
    bench.db.set_trace_callback(None)
    assert len(begun_at) >= 6
    assert min(begun_at) > 0


def bench_gaps(bench: Bench, name: RecordClass) -> list[Gap]:
    """Return the gaps of a class whose totals were spoilt by the test itself."""
    query = "SELECT data FROM batches WHERE stream IN (SELECT id FROM streams WHERE class = ?) ORDER BY first_seq"
    found = [each for (data,) in bench.db.execute(query, (name.value,)) for each in decode_batch(data).records]
    return [each.payload for each in found if isinstance(each.payload, Gap)]


def test_a_full_outbox_takes_and_declares(benches: Benches) -> None:
    """Nothing is left to give up but what has just come: it is declared, and drivers are never refused (ADR 0107)."""
    bench = benches(max_bytes=16_384)
    bench.feed(300)
    assert bench.kept(_ALARM)[-1].seq == bench.made[_ALARM]
    assert [bench.declarations(name) for name in (_TRACK, _TELEMETRY, _LOG)] == [1, 1, 1]
    assert bench.gaps(_TRACK)[0].reason == "capacity"


def test_the_mean_says_that_it_is_one(benches: Benches) -> None:
    bench = benches(max_bytes=400_000)
    bench.feed(600)
    means = [each for each in bench.kept(_TELEMETRY) if each.mean_of]
    assert means
    assert {each.mean_of for each in means} <= {360, 19 * 6}  # the first minute is 19 s long
    assert b'"mean_of":' in msgspec.json.encode(means[0])


def test_the_database_is_locked_for_nobody(benches: Benches) -> None:
    """Making room leaves no statement open: the next transaction begins."""
    bench = benches(max_bytes=150_000)
    bench.feed(200)
    with pytest.raises(sqlite3.OperationalError, match="no transaction"):
        bench.db.execute("COMMIT")
