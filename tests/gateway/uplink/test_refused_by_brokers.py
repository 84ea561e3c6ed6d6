"""The uplink against brokers that say no, or say nothing."""

import pytest

from contracts.receipt import Receipt
from gateway.outbox.models import Lane
from gateway.uplink.ports import Ending, Granted
from gateway.uplink.silence_policy import FIRST_LIMIT_S, NOTICE_S
from gateway.uplink.window import Window
from tests.support.uplink_doubles import Bench, commit, settle_down, stored, until


async def test_a_batch_that_is_swallowed_while_others_are_answered_blocks_nobody_and_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = await swallowing(monkeypatch, 40)
    assert set(bench.store.batches) == {1}
    assert bench.uplink.figures().stragglers == 1
    assert bench.counters.total("batches_passed_over") == 1
    assert bench.uplink.state.is_up


async def test_without_stragglers_the_swallowed_batch_would_hold_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the test above."""
    monkeypatch.setattr(Window, "_judge", lambda *_: False)
    bench = await swallowing(monkeypatch, 40)
    assert bench.uplink.figures().stragglers == 0
    assert bench.uplink.figures().lanes[1].in_flight == 1


async def swallowing(monkeypatch: pytest.MonkeyPatch, count: int) -> Bench:
    monkeypatch.setattr("gateway.uplink.sender.IDLE_S", 0.001)

    def swallow_one(data: bytes) -> list[Receipt]:
        return [] if data.split()[1] == b"1" else commit(data)

    bench = Bench(4, window_batches=4)
    bench.broker.cloud = swallow_one
    number = 4
    async with bench.running():
        while number < count:
            for _ in range(3):
                number += 1
                bench.store.batches[number] = stored(number)
            bench.clock.now_s += 5
            bench.uplink.wake()
            await until(lambda: set(bench.store.batches) <= {1})
            await settle_down()
    return bench


async def test_a_quota_rests_the_backlog_and_lets_live_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.sender.IDLE_S", 0.001)
    bench = Bench(0)
    for number in range(1, 9):
        bench.store.batches[number] = stored(number, Lane.BACKLOG if number % 2 else Lane.LIVE)
    bench.broker.refuse = lambda data: 0x97 if int(data.split()[1]) % 2 else 0
    async with bench.running():
        await until(lambda: set(bench.store.batches) == {1, 3, 5, 7})
        await settle_down()
        sent = len(bench.sent())
        bench.broker.refuse = lambda _: 0
        bench.clock.now_s += 14
        await settle_down()
        assert len(bench.sent()) == sent
        bench.clock.now_s += 2
        await until(lambda: not bench.store.batches)
    assert bench.counters.total("puback_quota_exceeded") == 1


async def test_a_broker_that_refuses_what_is_published_is_left_for_the_next() -> None:
    bench = Bench(3)
    bench.broker.refuse = lambda _: 0x87 if bench.broker.attempts[-1] == "one" else 0
    async with bench.running():
        await until(lambda: len(bench.broker.attempts) == 2)
        bench.clock.now_s += 31
        bench.uplink.wake()
        await until(lambda: not bench.store.batches)
    assert bench.counters.total("puback_not_authorised") >= 1


async def test_a_batch_over_the_limit_of_one_broker_waits_for_another() -> None:
    bench = Bench(3)
    bench.store.batches[2] = stored(2, size_bytes=5000)
    bench.broker.granted = Granted(max_packet_bytes=2000)
    async with bench.running():
        await until(lambda: set(bench.store.batches) == {2})
        assert bench.store.refused == []
        bench.broker.granted = Granted()
        bench.broker.gone.set()
        await until(lambda: not bench.store.batches)
    assert bench.sent().count(2) == 1
    assert bench.counters.total("batches_over_broker_limit") >= 1


async def test_a_batch_over_the_limit_of_all_is_set_aside_with_its_reason_and_the_rest_goes_on() -> None:
    bench = Bench(9)
    bench.store.batches[2] = stored(2, size_bytes=5000)
    bench.broker.refuse = lambda data: 0x95 if len(data) >= 5000 else 0
    async with bench.running():
        await until(lambda: set(bench.store.batches) == {2})
        bench.broker.gone.set()
        await until(lambda: not bench.store.batches)
    assert bench.store.refused == [2]
    assert bench.counters.total("batches_too_large_for_brokers") == 1


async def test_brokers_that_take_nothing_set_nothing_aside() -> None:
    bench = Bench(9)
    bench.broker.refuse = lambda _: 0x95
    async with bench.running():
        for _ in range(4):
            await until(lambda: bool(bench.broker.published))
            bench.broker.published.clear()
            bench.broker.gone.set()
            bench.clock.now_s += 1000
            await settle_down()
    assert len(bench.store.batches) == 9
    assert bench.store.refused == []


async def test_the_largest_batch_is_the_suspect_when_a_connection_is_cut_for_a_packet_too_large() -> None:
    bench = Bench(5)
    bench.store.batches[4] = stored(4, size_bytes=5000)
    bench.broker.cloud = lambda _: []
    async with bench.running():
        await until(lambda: len(bench.sent()) == 5)
        bench.broker.cloud = lambda data: [] if len(data) >= 5000 else commit(data)
        bench.broker.ending = Ending("packet_too_large", "Packet too large", "")
        bench.broker.gone.set()
        await until(lambda: set(bench.store.batches) == {4})
        assert bench.uplink.figures().stragglers == 1


async def test_silence_is_shown_and_ends_the_connection_for_the_next_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.uplink.IDLE_S", 0.001)
    bench = Bench(2)
    bench.broker.cloud = lambda _: []
    async with bench.running():
        await until(lambda: len(bench.sent()) == 2)
        bench.clock.now_s += NOTICE_S
        bench.uplink.wake()
        await until(lambda: bench.uplink.state.reason == "no_receipts")
        assert bench.uplink.state.is_up
        bench.clock.now_s += FIRST_LIMIT_S
        bench.uplink.wake()
        await until(lambda: bench.broker.attempts == ["one", "two"])
        bench.broker.cloud = commit
        bench.clock.now_s += 60
        bench.uplink.wake()
        await until(lambda: not bench.store.batches)
        await until(lambda: bench.uplink.state.reason == "")


async def test_the_gateway_returns_to_the_first_broker_once_it_answers_again() -> None:
    bench = Bench(0, return_after_s=0.01)
    bench.broker.failures = ["refused"]
    async with bench.running():
        await until(lambda: bench.uplink.state.is_up)
        assert bench.broker.attempts == ["one", "two"]
        await settle_down()
        bench.broker.does_first_answer = True
        await until(lambda: bench.broker.attempts == ["one", "two", "one"])


async def test_the_store_is_told_whether_live_could_go_at_once() -> None:
    bench = Bench(0)
    async with bench.running():
        await until(lambda: bench.store.is_hungry)
        bench.broker.failures = ["refused"] * 10_000
        bench.broker.gone.set()
        bench.uplink.wake()
        await until(lambda: not bench.store.is_hungry)
