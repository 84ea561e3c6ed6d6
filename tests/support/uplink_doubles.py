"""The ports of the uplink as simulators: a store on a list, and a broker with a cloud behind it that answers or not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from contracts.codec import encode_message
from contracts.commands import Command, CommandResult
from contracts.errors import LinkError
from contracts.receipt import Outcome, Receipt
from contracts.topics import Channel, topic
from firmware_configs.device import Broker
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.outbox.models import Lane, StoredBatch
from gateway.uplink.ports import Ending, Granted, Message, Refusal
from gateway.uplink.uplink import Uplink
from tests.support.gateway_records import GATEWAY, SITE, ManualClock

STREAM = f"{SITE}.{GATEWAY}.0123456789abcdef.track"
DOWN_RECEIPT = topic(SITE, GATEWAY, Channel.RECEIPT).mqtt()
DOWN_COMMAND = topic(SITE, GATEWAY, Channel.COMMAND).mqtt()
UP_RECORDS = topic(SITE, GATEWAY, Channel.RECORDS).mqtt()
UP_RESULT = topic(SITE, GATEWAY, Channel.RESULT).mqtt()


def stored(number: int, lane: Lane = Lane.LIVE, size_bytes: int = 0) -> StoredBatch:
    data = (b"batch %d " % number).ljust(size_bytes, b".")
    return StoredBatch(number, STREAM, number, number, f"digest-{number}", data, lane)


class ListStore:
    """The store's port on a list."""

    def __init__(self, count: int) -> None:
        self.batches = {n: stored(n) for n in range(1, count + 1)}
        self.is_hungry = False
        self.is_broken = False
        self.refused: list[int] = []

    async def next_batches(
        self, lane: Lane, exclude: Collection[int], limit: int, room_bytes: int
    ) -> list[StoredBatch]:
        self._check()
        assert room_bytes > 0
        left = [batch for number, batch in sorted(self.batches.items()) if number not in exclude]
        return [batch for batch in left if batch.lane is lane][:limit]

    def set_hungry(self, is_hungry: bool) -> None:  # noqa: FBT001 - the port's signature
        self.is_hungry = is_hungry

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
        self.inbox: asyncio.Queue[Message | Refusal] = asyncio.Queue()
        self.attempts: list[str] = []
        self.failures: list[str] = []
        self.published: list[tuple[str, bytes]] = []
        self.gone = asyncio.Event()
        self.ending = Ending("lost", "cut", "")
        self.granted = Granted()
        self.refuse: Callable[[bytes], int] = lambda _: 0
        self.does_first_answer = False
        self.is_full = False

    async def connect(self, broker: Broker) -> Granted:
        self.attempts.append(broker.host)
        if self.failures:
            raise LinkError("connect", broker.host, "no", "hint", self.failures.pop(0))
        self.gone.clear()
        return self.granted

    async def answers(self, broker: Broker) -> bool:
        assert broker.host == "one"
        return self.does_first_answer

    async def closed(self) -> Ending:
        await self.gone.wait()
        return self.ending

    def publish(self, topic: str, payload: bytes, qos: int) -> int:
        assert qos == (1 if topic in (UP_RECORDS, UP_RESULT) else 0)
        if self.is_full or self.gone.is_set():
            return 0
        self.published.append((topic, payload))
        number = len(self.published)
        if topic == UP_RECORDS:
            if code := self.refuse(payload):
                self.inbox.put_nowait(Refusal(number, code))
                return number
            for receipt in self.cloud(payload):
                self.put(DOWN_RECEIPT, encode_message(receipt))
        return number

    def put(self, topic: str, payload: bytes) -> None:
        self.inbox.put_nowait(Message(topic, payload))

    async def next_messages(self) -> list[Message | Refusal]:
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


async def settle_down() -> None:
    """Let all tasks do what they can do now."""
    for _ in range(200):
        await asyncio.sleep(0)
