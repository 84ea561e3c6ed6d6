"""The uplink against a simulated broker: the transport's port, with a cloud behind it that answers or does not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import pytest

from contracts.codec import decode_message, encode_message
from contracts.commands import Command, CommandKind, CommandResult
from contracts.errors import LinkError
from contracts.health import GatewayStatus, SourceStatus
from contracts.receipt import Outcome, Receipt
from contracts.records import Clock, ClockState
from contracts.topics import Channel, topic
from firmware_configs.device import Broker
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.outbox.models import StoredBatch
from gateway.uplink.uplink import Uplink
from gateway.uplink.window import Window
from tests.support.gateway_records import GATEWAY, SITE, ManualClock

STREAM = f"{SITE}.{GATEWAY}.0123456789abcdef.track"
DOWN_RECEIPT = topic(SITE, GATEWAY, Channel.RECEIPT).mqtt()
DOWN_COMMAND = topic(SITE, GATEWAY, Channel.COMMAND).mqtt()
UP_RECORDS = topic(SITE, GATEWAY, Channel.RECORDS).mqtt()
UP_RESULT = topic(SITE, GATEWAY, Channel.RESULT).mqtt()


class ListStore:
    """The store's port on a list."""

    def __init__(self, count: int) -> None:
        self.batches = {n: StoredBatch(n, STREAM, n, n, f"digest-{n}", b"batch %d" % n) for n in range(1, count + 1)}
        self.is_broken = False
        self.refused: list[int] = []

    async def next_batches(self, exclude: Collection[int], limit: int, room_bytes: int) -> list[StoredBatch]:
        self._check()
        assert room_bytes > 0
        return [batch for number, batch in sorted(self.batches.items()) if number not in exclude][:limit]

    async def read_batch(self, batch_id: int) -> StoredBatch | None:
        self._check()
        return self.batches.get(batch_id)

    async def settle(self, receipts: Sequence[tuple[Receipt, int | None]]) -> list[int]:
        self._check()
        gone = []
        for receipt, batch_id in receipts:
            number = receipt.first_seq if receipt.stream_id else batch_id
            if number in self.batches and (not receipt.stream_id or receipt.stream_id == STREAM):
                del self.batches[number]
                gone.append(number)
                if receipt.outcome is Outcome.REFUSED:
                    self.refused.append(number)
        return gone

    def _check(self) -> None:
        if self.is_broken:
            raise LinkError("use", "store", "broken")


class SimulatedBroker:
    """The transport's port; ``cloud`` answers each batch with messages of its own."""

    def __init__(self, cloud: Callable[[bytes], list[Receipt]]) -> None:
        self.cloud = cloud
        self.inbox: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.attempts: list[str] = []
        self.failures: list[str] = []
        self.published: list[tuple[str, bytes]] = []
        self.gone = asyncio.Event()
        self.is_full = False

    async def connect(self, broker: Broker) -> None:
        self.attempts.append(broker.host)
        if self.failures:
            raise LinkError("connect", broker.host, "no", "hint", self.failures.pop(0))
        self.gone.clear()

    async def closed(self) -> str:
        await self.gone.wait()
        return "cut"

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        assert qos == (1 if topic in (UP_RECORDS, UP_RESULT) else 0)
        if self.is_full or self.gone.is_set():
            return False
        self.published.append((topic, payload))
        if topic == UP_RECORDS:
            for receipt in self.cloud(payload):
                self.inbox.put_nowait((DOWN_RECEIPT, encode_message(receipt)))
        return True

    async def next_messages(self) -> list[tuple[str, bytes]]:
        return [await self.inbox.get()]

    async def disconnect(self) -> None:
        self.gone.set()


class Runner:
    def __init__(self) -> None:
        self.carried_out: list[Command] = []

    async def run(self, command: Command) -> CommandResult:
        self.carried_out.append(command)
        return CommandResult(command_id=command.command_id, is_done=True)


class Bench:
    def __init__(self, batches: int = 5, **settings: float) -> None:
        self.store = ListStore(batches)
        self.broker = SimulatedBroker(commit)
        self.counters = Counters()
        self.runner = Runner()
        self.clock = ManualClock()
        values = UplinkSettings.model_validate({"reconnect_base_s": 0.001, "reconnect_cap_s": 0.001, **settings})
        brokers = [Broker(host="one"), Broker(host="two")]
        self.uplink = Uplink(
            (SITE, GATEWAY), self.store, self.broker, self.clock, values, brokers, self.runner, self.counters
        )

    def sent(self) -> list[int]:
        return [int(payload.split()[1]) for name, payload in self.broker.published if name == UP_RECORDS]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.uplink.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def commit(data: bytes) -> list[Receipt]:
    number = int(data.split()[1])
    return [Receipt(outcome=Outcome.COMMITTED, stream_id=STREAM, first_seq=number, last_seq=number)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not condition():  # noqa: ASYNC110 - a test waits for what other tasks do
            await asyncio.sleep(0)


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
        await until(lambda: len(bench.sent()) == 4)
        for _ in range(100):
            await asyncio.sleep(0)
            bench.uplink.wake()
    assert bench.sent() == [1, 2, 3, 4]
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
        if data == b"batch 2":
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
            bench.broker.inbox.put_nowait((DOWN_RECEIPT, payload))
            bench.broker.inbox.put_nowait((DOWN_COMMAND, payload))
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


async def test_a_refused_certificate_is_told_with_a_hint_and_tried_again() -> None:
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
    monkeypatch.setattr("gateway.uplink.uplink.RETRY_S", 0.001)
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
            bench.broker.inbox.put_nowait((DOWN_COMMAND, encode_message(item)))
        await until(lambda: len(bench.broker.published) == 1)
        await until(lambda: bench.counters.total("commands_expired") == 1)
    assert bench.runner.carried_out == [command]
    name, payload = bench.broker.published[0]
    assert name == UP_RESULT
    assert decode_message(payload, CommandResult) == CommandResult(command_id="c1", is_done=True)
    assert bench.counters.total("commands_repeated") == 1


async def test_a_connection_that_takes_nothing_any_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.uplink.RETRY_S", 0.001)
    bench = Bench(2)
    bench.broker.is_full = True
    async with bench.running():
        await until(lambda: bench.counters.total("uplink_transport_full") > 2)
        bench.clock.now_s += 31
        await until(lambda: len(bench.broker.attempts) == 2)
        bench.broker.is_full = False
        await until(lambda: not bench.store.batches)
    assert bench.counters.total("uplink_stuck") == 1


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
