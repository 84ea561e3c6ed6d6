"""The uplink against a simulated broker: the transport's port, with a cloud behind it that answers or does not."""

import asyncio

import pytest

from contracts.codec import decode_message, encode_message
from contracts.commands import Command, CommandKind, CommandResult
from contracts.health import GatewayStatus, SourceStatus
from contracts.receipt import Outcome, Receipt
from contracts.records import Clock, ClockState
from contracts.topics import Channel, topic
from gateway.uplink.window import Window
from tests.support.gateway_records import GATEWAY, SITE
from tests.support.uplink_doubles import DOWN_COMMAND, DOWN_RECEIPT, UP_RESULT, Bench, commit, settle_down, until


async def test_batches_leave_the_disk_when_the_cloud_has_committed_them() -> None:
    bench = Bench(50)
    async with bench.running():
        await until(lambda: not bench.store.batches)
        assert await bench.uplink.drain(1)
    assert bench.sent() == list(range(1, 51))
    assert bench.counters.total("batches_resent") == 0


async def test_without_receipts_nothing_leaves_the_disk_and_the_window_stays_closed() -> None:
    bench = Bench(50, window_batches=4)
    bench.broker.cloud = lambda _: []
    async with bench.running():
        await until(lambda: len(bench.sent()) == 3)
        for _ in range(100):
            await asyncio.sleep(0)
            bench.uplink.wake()
    assert bench.sent() == [1, 2, 3]  # the fourth place is the backlog's
    assert len(bench.store.batches) == 50


async def test_a_batch_without_a_receipt_is_sent_again() -> None:
    bench = Bench(1)
    bench.broker.cloud = lambda _: []
    async with bench.running():
        await until(lambda: bench.sent() == [1])
        bench.clock.now_s += 5.1
        bench.broker.cloud = commit
        bench.uplink.wake()
        await until(lambda: not bench.store.batches)
    assert bench.sent() == [1, 1]
    assert bench.counters.total("batches_resent") == 1


async def test_a_new_connection_sends_again_what_is_in_flight() -> None:
    bench = Bench(3)
    bench.broker.cloud = lambda _: []
    async with bench.running():
        await until(lambda: bench.sent() == [1, 2, 3])
        bench.broker.cloud = commit
        bench.broker.gone.set()
        await until(lambda: not bench.store.batches)
    assert bench.sent() == [1, 2, 3, 1, 2, 3]


async def test_without_the_resend_a_lost_connection_would_strand_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the test above."""
    monkeypatch.setattr(Window, "reconnected", lambda *_: None)
    bench = Bench(3)
    bench.broker.cloud = lambda _: []
    async with bench.running():
        await until(lambda: bench.sent() == [1, 2, 3])
        bench.broker.cloud = commit
        bench.broker.gone.set()
        await until(lambda: len(bench.broker.attempts) == 2 and bench.uplink.state.is_up)
        for _ in range(100):
            await asyncio.sleep(0)
    assert len(bench.store.batches) == 3


async def test_a_refusal_by_digest_only_settles_the_batch_and_the_rest_goes_on() -> None:
    def refuse_two(data: bytes) -> list[Receipt]:
        if data.split()[1] == b"2":
            return [Receipt(outcome=Outcome.REFUSED, digest="digest-2", reason="not_a_batch")]
        return commit(data)

    bench = Bench(4)
    bench.broker.cloud = refuse_two
    async with bench.running():
        await until(lambda: not bench.store.batches)
    assert bench.store.refused == [2]


async def test_strange_receipts_and_rubbish_change_nothing() -> None:
    bench = Bench(1)
    stranger = Receipt(outcome=Outcome.COMMITTED, stream_id="a.b.0123456789abcdef.track", first_seq=1, last_seq=1)
    unknown_digest = Receipt(outcome=Outcome.REFUSED, digest="nobody")
    bench.broker.cloud = lambda _: [stranger, unknown_digest]
    async with bench.running():
        for payload in (b"", b"{", b"\xff" * 10, b"x" * 100_000):
            bench.broker.put(DOWN_RECEIPT, payload)
            bench.broker.put(DOWN_COMMAND, payload)
        await until(lambda: bench.broker.inbox.empty() and bench.sent() == [1])
        await until(lambda: bench.counters.total("messages_rejected_too_large") == 2)
    assert len(bench.store.batches) == 1
    assert bench.counters.total("messages_rejected_not_a_message") == 6


async def test_brokers_are_tried_in_turn_until_one_answers() -> None:
    bench = Bench(1)
    bench.broker.failures = ["refused", "own_certificate", "refused"]
    async with bench.running():
        await until(lambda: not bench.store.batches)
    assert bench.broker.attempts == ["one", "two", "one", "two"]
    assert bench.counters.total("uplink_failures_refused") == 2


async def test_the_next_broker_is_tried_at_once_and_only_a_whole_round_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.uplink.brokers_policy.Reconnect.failed_s", lambda *_: 3600.0)
    bench = Bench(1)
    bench.broker.failures = ["refused"]
    async with bench.running():
        await until(lambda: not bench.store.batches)
        assert bench.broker.attempts == ["one", "two"]
        bench.clock.now_s += 60  # the connection has held
        bench.broker.failures = ["refused", "refused"]
        bench.broker.gone.set()
        await until(lambda: len(bench.broker.attempts) == 4)
        for _ in range(100):
            await asyncio.sleep(0)
    assert bench.broker.attempts == ["one", "two", "two", "one"]


async def test_a_refused_certificate_is_told_with_a_hint_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.brokers_policy.PERSON_BASE_S", 0.001)
    monkeypatch.setattr("gateway.uplink.brokers_policy.PERSON_CAP_S", 0.001)
    bench = Bench(1)
    bench.broker.failures = ["own_certificate"] * 10_000
    async with bench.running():
        await until(lambda: len(bench.broker.attempts) > 3)
        state = bench.uplink.state
        assert not await bench.uplink.drain(0.001)
    assert (state.is_up, state.reason, state.hint) == (False, "own_certificate", "hint")


async def test_a_disk_that_does_not_answer_stops_nothing_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.uplink.RETRY_S", 0.001)
    bench = Bench(2)
    bench.store.is_broken = True
    async with bench.running():
        await until(lambda: bench.counters.total("uplink_store_errors") > 2)
        bench.store.is_broken = False
        await until(lambda: not bench.store.batches)


async def test_a_full_transport_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.sender.RETRY_S", 0.001)
    bench = Bench(2)
    bench.broker.is_full = True
    async with bench.running():
        await until(lambda: bench.counters.total("uplink_transport_full") > 2)
        bench.broker.is_full = False
        await until(lambda: not bench.store.batches)


async def test_a_command_is_carried_out_once_and_answered() -> None:
    bench = Bench(0)
    command = Command(command_id="c1", kind=CommandKind.RESTART_DRIVER, expires_at_ns=2**62, source="ais")
    late = Command(command_id="c2", kind=CommandKind.REPORT_STATUS, expires_at_ns=1)
    async with bench.running():
        for item in (command, command, late):
            bench.broker.put(DOWN_COMMAND, encode_message(item))
        await until(lambda: len(bench.broker.published) == 1)
        await until(lambda: bench.counters.total("commands_expired") == 1)
    assert bench.runner.carried_out == [command]
    name, payload = bench.broker.published[0]
    assert name == UP_RESULT
    assert decode_message(payload, CommandResult) == CommandResult(command_id="c1", is_done=True)
    assert bench.counters.total("commands_repeated") == 1


async def test_a_connection_that_takes_nothing_any_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.sender.RETRY_S", 0.001)
    bench = Bench(2)
    bench.broker.is_full = True
    async with bench.running():
        await until(lambda: bench.counters.total("uplink_transport_full") > 2)
        bench.clock.now_s += 31
        await until(lambda: len(bench.broker.attempts) == 2)
        bench.broker.is_full = False
        await until(lambda: not bench.store.batches)
    assert bench.counters.total("uplink_stuck") == 1


async def test_while_there_is_no_connection_none_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage with batches in flight is no silence of the cloud: the attempts to connect are left alone."""
    left: list[bool] = []
    bench = Bench(3)
    bench.broker.cloud = lambda _: []
    async with bench.running():
        await until(lambda: bench.sent() == [1, 2, 3])
        bench.broker.failures = ["refused"] * 10**6
        bench.broker.gone.set()
        await until(lambda: bench.counters.total("uplink_failures_refused") > 0)
        disconnect = bench.broker.disconnect

        async def leave() -> None:
            left.append(True)
            await disconnect()

        monkeypatch.setattr(bench.broker, "disconnect", leave)
        for _ in range(5):
            bench.clock.now_s += 121
            bench.uplink.wake()
            await settle_down()
    assert not left
    assert bench.counters.total("uplink_unanswered") == 0


async def test_a_status_over_the_cap_goes_without_its_counters() -> None:
    bench = Bench(0)
    source = SourceStatus(source="ais", kind="nmea", state="running", rejected={"r" * 50: 1})
    status = GatewayStatus(
        site=SITE, gateway=GATEWAY, at_ns=1, boot_id="b", started_at_ns=1, software="1",
        clock=Clock(ClockState.NTP), sources=[source], counters={f"{number:060d}": 1 for number in range(1200)},
    )  # fmt: skip
    async with bench.running():
        await until(lambda: bench.uplink.state.is_up)
        assert bench.uplink.publish_status(status)
    name, payload = bench.broker.published[0]
    sent = decode_message(payload, GatewayStatus)
    assert name == topic(SITE, GATEWAY, Channel.STATUS).mqtt()
    assert (sent.counters, sent.sources[0].rejected, sent.sources[0].state) == ({}, {}, "running")
