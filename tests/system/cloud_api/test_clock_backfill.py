"""Times that an InfluxDB is told afterwards: cut between any two steps, a few a step, and writers that come late."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from cloud_api.history.clock_sets_policy import Boot, Moment, Spans
from cloud_api.history.influx import clock_backfill
from cloud_api.history.influx.http_v1 import InfluxQueries, Server
from cloud_api.history.influx.placing_policy import DAY_NS
from cloud_api.history.influx.provisioning import Retention, provision
from cloud_api.history.influx.questions import together
from cloud_api.history.models import Rejected, StoredRecord
from cloud_api.history.sql_clock_sets import CLAIM_NS, LATE_WRITES_NS, MAX_BOOTS, SqlClockSets
from cloud_api.operations.database import OperationsDatabase
from contracts.errors import LinkError
from contracts.payloads import ClockSet, Wind
from contracts.records import Clock, ClockState, Record
from tests.support.batches import batch, record
from tests.support.influx_server import InfluxServer, running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS, BackfillingSink, backfilling_sink, stored
from tests.support.operations_file import operations_file

pytestmark = pytest.mark.system

S = 10**9
START_NS = time.time_ns() // S * S - 7200 * S
BOOT_NS = 3600 * S
POINTS = 7
MAX_CUTS = 200
MOMENT = Moment(BOOT_NS, START_NS + BOOT_NS, 5.0, "ntp", 100.0)


class Now:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.ns = time.time_ns()

    def __call__(self) -> int:
        return self.ns


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with running_influx(tmp_path_factory.mktemp("influx")) as running:
        yield running


@asynccontextmanager
async def parts_on(
    server: InfluxServer, folder: Path, *, can_delete: bool = True
) -> AsyncIterator[tuple[BackfillingSink, Now]]:
    """Yield a sink on an empty server, with its clock."""
    server.query(f'DROP DATABASE "{DATABASE}"')
    queries = InfluxQueries(Server(server.url, DATABASE))
    await provision(queries, DATABASE, Retention(KEEP_DAYS * DAY_NS, 0))
    await queries.close()
    database, now = operations_file(folder / f"{uuid4()}.sqlite"), Now()
    parts = backfilling_sink(server.url, SqlClockSets(database), now_ns=now, can_delete=can_delete)
    try:
        yield parts, now
    finally:
        await parts.backfill.close()
        await parts.sink.close()
        await database.close()


def unsynced(seq: int, observed_at_ns: int) -> Record:
    wind = record(seq, Wind(speed_mps=float(seq)), observed_at_ns)
    return msgspec.structs.replace(wind, clock=Clock(ClockState.UNSYNCED), mono_ns=seq * 60 * S, boot_id="boot-1")


def points_before() -> list[StoredRecord]:
    """Half of them in 1970, half of them of yesterday."""
    wrong_ns = (0, START_NS - DAY_NS)
    records = [unsynced(seq, wrong_ns[seq % 2] + seq * 60 * S) for seq in range(1, POINTS + 1)]
    return stored(batch(1, POINTS, records=records))


def word() -> list[StoredRecord]:
    told = ClockSet(boot_id="boot-1", mono_ns=MOMENT.mono_ns, utc_ns=MOMENT.utc_ns, error_ms=MOMENT.error_ms,
                    source=MOMENT.source, drift_ppm=MOMENT.drift_ppm)  # fmt: skip
    return stored(batch(1, 1, "puerto-demo.gw-1.abcd1234.log", [record(1, told, START_NS)]))


def held(server: InfluxServer, policy: str) -> list[tuple[int, int, str, int | None]]:
    """Return (number, time, clock, original time) of the winds under a policy."""
    query = f'SELECT seq, at_ns, clock, original_at_ns FROM "{DATABASE}"."{policy}"."wind"'  # noqa: S608 - our names
    found = server.query(query, DATABASE)
    return sorted(tuple(row[1:]) for series in found for row in series["values"])


def right() -> list[tuple[int, int, str, int | None]]:
    return [
        (one.record.seq, START_NS + one.record.seq * 60 * S, "ntp", one.record.observed_at_ns)
        for one in points_before()
    ]


def right_beyond() -> list[tuple[int, int, str, int | None]]:
    return [one for one in right() if one[0] % 2 == 0]


async def tell(parts: BackfillingSink) -> None:
    """Write points, and then the word that tells their time."""
    assert await parts.sink.write(points_before()) == []
    assert await parts.sink.write(word()) == []


async def finish(parts: BackfillingSink) -> int:
    """Step until nothing is due now; returns how many steps it took."""
    steps = 0
    while await parts.backfill.step():
        steps += 1
    return steps


async def test_points_are_moved_once_and_keep_what_the_clock_had_said(server: InfluxServer, tmp_path: Path) -> None:
    async with parts_on(server, tmp_path) as (parts, _):
        assert await parts.sink.write(points_before()) == []
        assert {row[2] for policy in ("raw", "beyond") for row in held(server, policy)} == {"unsynced"}
        assert await parts.sink.write(word()) == []
        await finish(parts)
        assert held(server, "raw") == right()
        assert held(server, "beyond") == right_beyond()
        count = parts.registry.get_sample_value
        assert count("history_backfilled_points_total", {"policy": "beyond"}) == POINTS // 2
        assert count("history_backfilled_points_total", {"policy": "raw"}) == POINTS - POINTS // 2


class Cut:
    """Lets a number of calls through and fails the next, once, before or after it has done its work."""

    def __init__(self, after: int, *, is_done: bool) -> None:
        self.left = after
        self.is_done = is_done
        self.has_failed = False

    def now(self) -> bool:
        self.left -= 1
        self.has_failed |= self.left == -1
        return self.left == -1

    def wrap(self, method: Any) -> Any:
        async def call(*arguments: Any, **more: Any) -> Any:
            is_now = self.now()
            if is_now and not self.is_done:
                raise LinkError("test", "cut", "before", "", "cut")
            result = await method(*arguments, **more)
            if is_now:
                raise LinkError("test", "cut", "after", "", "cut")
            return result

        return call

    def wrap_answer(self, ask: Any) -> Any:
        async def call(statements: str, policy: str | None = None) -> AsyncIterator[bytes]:
            is_now = self.now()
            if is_now and not self.is_done:
                raise LinkError("test", "cut", "before", "", "cut")
            async for line in ask(statements, policy):
                yield line
            if is_now:
                raise LinkError("test", "cut", "after", "", "cut")

        return call


def cut_into(parts: BackfillingSink, cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    backfill: Any = parts.backfill
    monkeypatch.setattr(backfill._queries, "ask", cut.wrap_answer(backfill._queries.ask))
    for owner, names in ((parts.plain, ("write", "overwrite")), (backfill._clock_sets, ("claim", "settle"))):
        for name in names:
            monkeypatch.setattr(owner, name, cut.wrap(getattr(owner, name)))


@pytest.mark.parametrize("is_done", [False, True], ids=["before it works", "after it has"])
async def test_a_cut_between_any_two_steps_leaves_the_same_points(
    server: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_done: bool
) -> None:
    monkeypatch.setattr(clock_backfill, "MEASUREMENTS", ("wind",))
    monkeypatch.setattr(clock_backfill, "MAX_POINTS", 2)
    cuts = 0
    while cuts < MAX_CUTS:
        async with parts_on(server, tmp_path) as (parts, now):
            await tell(parts)
            cut = Cut(cuts, is_done=is_done)
            with monkeypatch.context() as patched:
                cut_into(parts, cut, patched)
                try:
                    await finish(parts)
                except LinkError:
                    now.ns += CLAIM_NS
                    await finish(parts)
            assert held(server, "raw") == right(), cuts
            assert held(server, "beyond") == right_beyond(), cuts
        if not cut.has_failed:
            break
        cuts += 1
    assert 10 < cuts < MAX_CUTS


async def test_deleting_first_would_lose_points_at_a_cut(server: InfluxServer, tmp_path: Path) -> None:
    """Mutation proof: the other order, cut between the two."""
    async with parts_on(server, tmp_path) as (parts, _):
        await tell(parts)
        queries = InfluxQueries(Server(server.url, DATABASE))
        async for _ in queries.ask(together([f"DELETE FROM wind WHERE time < {START_NS}"])):  # noqa: S608 - our number
            pass
        await queries.close()
        await finish(parts)
        assert held(server, "raw") != right()


async def test_a_step_is_bounded(server: InfluxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_backfill, "MAX_POINTS", 2)
    async with parts_on(server, tmp_path) as (parts, _):
        await tell(parts)
        waiting = []
        while await parts.backfill.step():
            waiting.append(sum(row[2] == "unsynced" for policy in ("raw", "beyond") for row in held(server, policy)))
        assert waiting == [3, 0, 0], "two of each policy a step; the last finds nothing"


async def test_a_writer_that_had_not_heard_is_caught_up_with(server: InfluxServer, tmp_path: Path) -> None:
    """It looked for the moment, and wrote when all the others were done."""
    async with parts_on(server, tmp_path) as (parts, now):
        late: list[StoredRecord] = []
        write = parts.plain.write

        async def hold(points: list[StoredRecord]) -> list[Rejected]:
            late.extend(points)
            return []

        parts.plain.write = hold  # type: ignore[method-assign, assignment]
        await parts.sink.write(points_before())
        parts.plain.write = write  # type: ignore[method-assign]
        await parts.sink.write(word())
        await finish(parts)
        await parts.plain.write(late)
        assert held(server, "raw") != right()
        now.ns += LATE_WRITES_NS
        await finish(parts)
        assert held(server, "raw") == right()
        now.ns += 10 * LATE_WRITES_NS
        assert await finish(parts) == 0, "it is not looked at for ever"


async def test_a_server_that_cannot_delete_gets_those_of_1970_right(server: InfluxServer, tmp_path: Path) -> None:
    """InfluxDB 2.x and 3.x."""
    async with parts_on(server, tmp_path, can_delete=False) as (parts, _):
        await tell(parts)
        await finish(parts)
        moved = [row for row in held(server, "raw") if row[2] == "ntp"]
        assert moved == right_beyond() == held(server, "beyond")
        assert len(held(server, "raw")) == POINTS


async def test_without_it_they_stay_beyond(server: InfluxServer, tmp_path: Path) -> None:
    """Mutation proof."""
    async with parts_on(server, tmp_path) as (parts, _):
        await parts.plain.write([*points_before(), *word()])
        await finish(parts)
        assert {row[2] for row in held(server, "beyond")} == {"unsynced"}


async def test_the_first_moment_counts_and_one_worker_has_a_boot(operations: OperationsDatabase) -> None:
    clock_sets, boot = SqlClockSets(operations), Boot("demo", "gw-1", "boot-1")
    spans = Spans((START_NS, START_NS + 5), (1, 2**62))
    assert await clock_sets.note_points(boot, Spans((START_NS + 2, START_NS + 5)), 10) == 0
    assert await clock_sets.claim(2**62) is None, "nobody told its time"
    await clock_sets.note_moment(boot, MOMENT, 20)
    await clock_sets.note_moment(boot, Moment(1, 2, 3.0, "gnss", 4.0), 30)
    await clock_sets.note_points(boot, spans, 40)
    await clock_sets.note_points(boot, Spans((START_NS + 1, START_NS + 3)), 40)
    other = Boot("demo", "gw-2", "boot-1")
    assert await clock_sets.moments([boot, other]) == {boot: MOMENT}
    task = await clock_sets.claim(50)
    assert task is not None
    assert (task.boot, task.moment, task.spans) == (boot, MOMENT, spans)
    assert await clock_sets.claim(51) is None
    assert await clock_sets.claim(50 + CLAIM_NS) == task, "whoever had it is gone"
    await clock_sets.settle(boot, 60, is_more=False)
    assert await clock_sets.claim(40 + LATE_WRITES_NS - 1) is None
    assert await clock_sets.claim(40 + LATE_WRITES_NS) == task
    await clock_sets.settle(boot, 40 + LATE_WRITES_NS, is_more=False)
    assert await clock_sets.claim(2**62) is None


async def test_a_gateway_has_so_many_boots(operations: OperationsDatabase) -> None:
    clock_sets = SqlClockSets(operations)
    boots = [Boot("demo", "gw-1", f"boot-{number}") for number in range(MAX_BOOTS + 2)]
    gone = [await clock_sets.note_moment(boot, MOMENT, number) for number, boot in enumerate(boots)]
    assert gone == [0] * MAX_BOOTS + [1, 1]
    assert (await clock_sets.moments(boots)).keys() == set(boots[2:])
