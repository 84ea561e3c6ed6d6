"""One worker of the store role without a broker: batches as they travel go in, receipts come out.

``python -m tests.bench.store_worker CONFIG WORKER``: prints ``ready``, then takes a number of records a line on stdin,
commits so many more of its own streams and prints a JSON line (``Run``). The making of the batches is not measured.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import structlog
from prometheus_client import CollectorRegistry

from cloud_api.bus.ports import Handler
from cloud_api.composition.operations import open_operations
from cloud_api.composition.parts import Parts
from cloud_api.composition.store import add_store
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.settings import load_settings
from contracts.codec import encode_batch
from contracts.topics import Channel, Topic
from tests.bench.store_feed import BATCH_RECORDS, Feed


class Run(msgspec.Struct, frozen=True):
    """What was committed, in what time (wall, and of this process's CPU), s."""

    records: int
    took_s: float
    cpu_s: float


class LocalBus:
    """A bus without a broker: it hands over what it is given and counts what is answered."""

    def __init__(self) -> None:
        self.handlers: dict[Channel, Handler] = {}
        self.receipts = 0
        self.on_receipt: Callable[[], None] = lambda: None

    @property
    def is_connected(self) -> bool:
        return True

    async def run(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def publish(self, topic: Topic, data: bytes) -> None:
        assert data
        assert topic.channel is Channel.RECEIPT
        self.receipts += 1
        self.on_receipt()

    async def subscribe(self, channel: Channel, handler: Handler) -> None:
        self.handlers[channel] = handler

    async def subscribe_shared(self, channel: Channel, group: str, handler: Handler) -> None:
        assert group
        self.handlers[channel] = handler

    async def stop_delivery(self) -> None:
        return

    async def close(self) -> None:
        return


async def commit(bus: LocalBus, batches: list[tuple[Topic, bytes]]) -> Run:
    """Hand batches over and wait for the receipt of each."""
    done, wanted = asyncio.Event(), bus.receipts + len(batches)

    def answered() -> None:
        if bus.receipts >= wanted:
            done.set()

    bus.on_receipt = answered
    started_s, cpu_s = time.perf_counter(), time.process_time()
    for where, data in batches:
        await bus.handlers[Channel.RECORDS](where, data)
    await done.wait()
    took_s = time.perf_counter() - started_s
    return Run(len(batches) * BATCH_RECORDS, took_s, time.process_time() - cpu_s)


async def _work(config: Path, worker: int) -> None:
    settings, registry, bus = load_settings(config), CollectorRegistry(), LocalBus()
    async with AsyncExitStack() as closing:
        database = await open_operations(settings.operations, closing)
        parts = Parts(settings, registry, database, bus, closing)
        await add_store(parts, IngestMetrics(registry))
        feed = Feed(worker)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(start(), name=name) for name, start in parts.eternal]
            await _obey(lambda records: _step(bus, feed, records))
            for task in running:
                task.cancel()


async def _step(bus: LocalBus, feed: Feed, records: int) -> Run:
    batches = [(where, encode_batch(batch)) for where, batch in feed.take(records)]
    # the start line: two workers begin together
    sys.stdout.write("steady\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    return await commit(bus, batches)


async def _obey(step: Callable[[int], Awaitable[Run]]) -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        sys.stdout.write(msgspec.json.encode(await step(int(line))).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(_work(Path(sys.argv[1]), int(sys.argv[2])))
