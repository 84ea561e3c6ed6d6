"""Leases and what they fence, on real SQLite and PostgreSQL: by the database's clock, atomic, refused to who lost."""

import asyncio
import time

import pytest
import sqlalchemy as sa

from cloud_api.accounting.models import OpenStream, Settlement, StreamAlarm
from cloud_api.accounting.store import SqlJudgementStore
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import leases, open_streams, stream_alarms
from cloud_api.tracking.lease_policy import Answer, Ask, Change, Reason
from cloud_api.tracking.lease_store import SqlLeaseStore, fence
from contracts.errors import LinkError

pytestmark = pytest.mark.system

SITE = "puerto-demo"
STREAM = f"{SITE}.gw-1.abcd1234.track"
LONG_S, SHORT_S = 30.0, 0.2
ALARM = StreamAlarm(STREAM, 5_000, "missing", 12)


async def take(operations: OperationsDatabase, holder: str, lease_s: float = LONG_S) -> Answer:
    (answer,) = await SqlLeaseStore(operations).ask(holder, [Ask(SITE, None)], lease_s)
    return answer


async def test_one_of_two_holds_it_and_the_other_is_told_for_how_long(operations: OperationsDatabase) -> None:
    assert await take(operations, "a") == Answer(SITE, 1)
    other = await take(operations, "b")
    assert other.epoch is None
    assert LONG_S - 5 < other.remaining_s <= LONG_S


async def test_many_that_ask_at_once_get_one_lease(operations: OperationsDatabase) -> None:
    answers = await asyncio.gather(*(take(operations, f"holder-{number}") for number in range(10)))
    assert [answer.epoch for answer in answers if answer.epoch is not None] == [1]


async def test_an_expired_lease_is_taken_with_a_higher_epoch_and_its_holder_cannot_renew(
    operations: OperationsDatabase,
) -> None:
    await take(operations, "a", SHORT_S)
    await asyncio.sleep(SHORT_S + 0.1)
    assert (await take(operations, "b")).epoch == 2
    (answer,) = await SqlLeaseStore(operations).ask("a", [Ask(SITE, 1)], LONG_S)
    assert answer.epoch is None


async def test_a_renewal_keeps_the_epoch(operations: OperationsDatabase) -> None:
    await take(operations, "a", 1.0)
    (answer,) = await SqlLeaseStore(operations).ask("a", [Ask(SITE, 1)], LONG_S)
    assert answer.epoch == 1
    assert (await take(operations, "b")).remaining_s > LONG_S / 2


async def test_an_answer_that_was_lost_costs_an_epoch_and_no_wait(operations: OperationsDatabase) -> None:
    await take(operations, "a")
    assert (await take(operations, "a")).epoch == 2


async def test_a_released_lease_is_free_at_once(operations: OperationsDatabase) -> None:
    await take(operations, "a")
    store = SqlLeaseStore(operations)
    await store.release("b", [Change(SITE, 1, Reason.RELEASED)])
    assert (await take(operations, "b")).epoch is None, "only its holder can give it back"
    await store.release("a", [Change(SITE, 1, Reason.RELEASED)])
    assert (await take(operations, "b")).epoch == 2


async def test_every_site_has_its_own(operations: OperationsDatabase) -> None:
    store = SqlLeaseStore(operations)
    await store.ask("a", [Ask("one", None)], LONG_S)
    answers = await store.ask("b", [Ask("one", None), Ask("two", None)], LONG_S)
    assert [answer.epoch for answer in answers] == [None, 1]


SITES = 256


def statements_of(operations: OperationsDatabase) -> list[str]:
    """Return a list to which each statement of the database is added."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    sa.event.listen(operations.engine.sync_engine, "before_cursor_execute", note)
    return statements


async def test_standing_by_costs_one_question_whatever_the_number_of_sites(operations: OperationsDatabase) -> None:
    store = SqlLeaseStore(operations)
    asks = [Ask(f"site-{number:03}", None) for number in range(SITES)]
    await store.ask("a", asks, LONG_S)
    statements = statements_of(operations)
    answers = await store.ask("b", asks, LONG_S)
    assert {answer.epoch for answer in answers} == {None}
    assert min(answer.remaining_s for answer in answers) > LONG_S / 2
    assert [answer.site for answer in answers] == [ask.site for ask in asks]
    assert len(statements) <= 3, "begin, the limit of idling, the question"


async def test_taking_and_renewing_cost_one_statement_whatever_the_number_of_sites(
    operations: OperationsDatabase,
) -> None:
    store = SqlLeaseStore(operations)
    statements = statements_of(operations)
    taken = await store.ask("a", [Ask(f"site-{number:03}", None) for number in range(SITES)], LONG_S)
    renewed = await store.ask("a", [Ask(answer.site, answer.epoch) for answer in taken], LONG_S)
    assert [(answer.site, answer.epoch) for answer in renewed] == [(f"site-{number:03}", 1) for number in range(SITES)]
    assert len(statements) <= 2 * 4, "begin, the limit of idling, who else holds, the leases"


async def test_each_site_of_one_question_is_judged_by_itself(operations: OperationsDatabase) -> None:
    store = SqlLeaseStore(operations)
    await store.ask("other", [Ask("ended", None), Ask("ending", None)], SHORT_S)
    await store.ask("other", [Ask("held", None)], LONG_S)
    await store.ask("a", [Ask("ours", None), Ask("lost-answer", None), Ask("wrong-epoch", None)], LONG_S)
    await asyncio.sleep(SHORT_S + 0.1)
    # shorter than the turn of a long lease, so that it is asked for and not only looked at
    await store.ask("other", [Ask("ending", None)], LONG_S / 10)
    asks = [
        Ask("ended", None), Ask("ending", None), Ask("held", None), Ask("lost-answer", None), Ask("new", None),
        Ask("ours", 1), Ask("unknown", 7), Ask("wrong-epoch", 3),
    ]  # fmt: skip
    answers = await store.ask("a", asks, LONG_S)
    assert [answer.site for answer in answers] == [ask.site for ask in asks]
    assert {answer.site: answer.epoch for answer in answers} == {
        "ended": 2, "ending": None, "held": None, "lost-answer": 2, "new": 1, "ours": 1, "unknown": 8, "wrong-epoch": 2,
    }  # fmt: skip
    left_s = {answer.site: answer.remaining_s for answer in answers if answer.epoch is None}
    assert 0 < left_s["ending"] <= LONG_S / 10
    assert LONG_S / 2 < left_s["held"] <= LONG_S


async def test_two_processes_that_take_many_sites_at_once_share_them_out(operations: OperationsDatabase) -> None:
    forward = [Ask(f"site-{number:03}", None) for number in range(SITES)]
    store = SqlLeaseStore(operations)
    first, second = await asyncio.gather(store.ask("a", forward, LONG_S), store.ask("b", forward[::-1], LONG_S))
    held = [answer.site for answer in (*first, *second) if answer.epoch is not None]
    assert sorted(held) == [ask.site for ask in forward]


async def rows(operations: OperationsDatabase, table: sa.Table) -> list[tuple[object, ...]]:
    async with operations.reading("look") as connection:
        return [tuple(row) for row in (await connection.execute(sa.select(table))).all()]


async def test_an_alarm_is_raised_once_and_cleared_once_whoever_repeats_it(operations: OperationsDatabase) -> None:
    store = SqlJudgementStore(operations)
    await take(operations, "a", SHORT_S)
    await store.settle(SITE, 1, Settlement(raised=(ALARM,), changed=(OpenStream(STREAM, 9, ALARM.raised_ns),)))
    await asyncio.sleep(SHORT_S + 0.1)
    await take(operations, "b")
    later = StreamAlarm(STREAM, 6_000, "missing", 12)
    await store.settle(SITE, 2, Settlement(raised=(later,)))
    assert await store.standing() == [ALARM]
    ended = Settlement(cleared=(ALARM,), cleared_ns=7_000, closed=(STREAM,))
    await store.settle(SITE, 2, ended)
    await store.settle(SITE, 2, Settlement(cleared=(ALARM,), cleared_ns=8_000))
    assert await rows(operations, stream_alarms) == [(STREAM, 5_000, "missing", 12, 1, 7_000, 2)]
    assert await rows(operations, open_streams) == []
    await store.settle(SITE, 2, Settlement(raised=(later,)))
    assert await store.standing() == [later], "the same trouble anew is a new alarm"


async def test_who_has_lost_the_lease_writes_nothing(operations: OperationsDatabase) -> None:
    store = SqlJudgementStore(operations)
    await take(operations, "a", SHORT_S)
    await asyncio.sleep(SHORT_S + 0.1)
    settlement = Settlement(raised=(ALARM,), changed=(OpenStream(STREAM, 9, 5),))
    with pytest.raises(LinkError) as expired:
        await store.settle(SITE, 1, settlement)
    await take(operations, "b")
    with pytest.raises(LinkError) as taken:
        await store.settle(SITE, 1, settlement)
    assert {expired.value.reason, taken.value.reason} == {"lease_lost"}
    assert await rows(operations, stream_alarms) == await rows(operations, open_streams) == []


async def test_without_the_fence_a_former_holder_would_write(
    operations: OperationsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_gate(*_: object) -> None:
        return None

    monkeypatch.setattr("cloud_api.accounting.store.fence", open_gate)
    await take(operations, "a", SHORT_S)
    await asyncio.sleep(SHORT_S + 0.1)
    await take(operations, "b")
    await SqlJudgementStore(operations).settle(SITE, 1, Settlement(raised=(ALARM,)))
    assert await SqlJudgementStore(operations).standing() == [ALARM]


async def test_a_lease_cannot_be_taken_under_a_fenced_write(operations: OperationsDatabase) -> None:
    await take(operations, "a", 1.0)
    began_s = time.monotonic()
    async with operations.transaction("write slowly") as connection:
        await fence(connection, SITE, 1)
        taking = asyncio.create_task(take(operations, "b"))
        # beyond the end of the lease, and below the limit of an idle transaction
        await asyncio.sleep(0.4)
        await fence(connection, SITE, 1)
        await asyncio.sleep(0.8)
        assert not taking.done()
    assert (await taking).epoch == 2
    assert time.monotonic() - began_s < 5


async def test_cleared_alarms_are_kept_up_to_a_cap_and_those_that_stand_stay(operations: OperationsDatabase) -> None:
    store = SqlJudgementStore(operations, max_cleared=3)
    await take(operations, "a")
    await store.settle(SITE, 1, Settlement(raised=(StreamAlarm(f"{SITE}.gw-2.abcd1234.log", 1, "missing", 1),)))
    for moment in range(1, 7):
        alarm = StreamAlarm(STREAM, moment, "missing", 1)
        await store.settle(SITE, 1, Settlement(raised=(alarm,)))
        await store.settle(SITE, 1, Settlement(cleared=(alarm,), cleared_ns=moment + 10))
    kept = {(row[0], row[1]) for row in await rows(operations, stream_alarms)}
    assert kept == {(f"{SITE}.gw-2.abcd1234.log", 1), (STREAM, 4), (STREAM, 5), (STREAM, 6)}


async def test_streams_that_are_not_whole_are_kept_changed_and_forgotten(operations: OperationsDatabase) -> None:
    store = SqlJudgementStore(operations)
    await take(operations, "a")
    first, second = OpenStream(f"{SITE}.g.abcd1234.log", 2**60, None), OpenStream(STREAM, 9, 5)
    await store.settle(SITE, 1, Settlement(changed=(second, first)))
    assert await store.load() == [first, second]
    changed = OpenStream(first.stream_id, 7, 3)
    await store.settle(SITE, 1, Settlement(changed=(changed,), closed=(STREAM, f"{SITE}.g.abcd1234.alarm")))
    assert await store.load() == [changed]


@pytest.mark.parametrize("empty_operations", ["postgresql"], indirect=True)
async def test_a_process_that_is_stopped_inside_a_transaction_does_not_keep_the_lease(
    operations: OperationsDatabase,
) -> None:
    await take(operations, "a", SHORT_S)
    async with operations.engine.connect() as connection:
        await connection.begin()
        await fence(connection, SITE, 1)
        began_s = time.monotonic()
        # as the stopped process does: nothing; the server ends its session
        assert (await take(operations, "b")).epoch == 2
        assert time.monotonic() - began_s < 3
        await connection.invalidate()


async def test_the_row_of_a_lease_names_holder_and_end(operations: OperationsDatabase) -> None:
    await take(operations, "host:1:ab")
    ((site, holder, epoch, expires_ns),) = await rows(operations, leases)
    assert (site, holder, epoch) == (SITE, "host:1:ab", 1)
    assert isinstance(expires_ns, int)
    assert abs(expires_ns - time.time_ns() - LONG_S * 1e9) < 5e9
