"""A real store process over InfluxDB and the operations database that kills itself at a chosen point.

``python -m tests.support.faulty_store SPEC``: SPEC is a JSON file, see ``Spec``. Everything between broker and stores
is the product; only the ports are wrapped by what ends the process with SIGKILL, so that nothing is flushed or closed.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from time import time_ns
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from cloud_api.backoff import FullJitter
from cloud_api.bus import nats_session
from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.nats_bus import NatsBus
from cloud_api.bus.tls import client_context
from cloud_api.history import sql_ledger_rows
from cloud_api.history.ledgered_metrics import LedgeredMetrics
from cloud_api.history.ledgered_writer import LedgeredWriter
from cloud_api.history.models import CommitOutcome, CommitPlan, ReceivedBatch, Rejected, StoredRecord
from cloud_api.history.ports import PointSink, StreamLedger
from cloud_api.history.sql_ledger import SqlStreamLedger
from cloud_api.ingest import service
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.ingest.poison import PoisonDesk
from cloud_api.ingest.ports import ReceiptSender
from cloud_api.ingest.service import IngestService
from cloud_api.logging_setup import set_up_logging
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.poison_store import SqlPoisonStore
from cloud_api.operations.server import ServerAccess
from contracts.topics import Channel, Topic
from tests.support.influx_sink import influx_sink
from tests.support.sink_simulator import QuarantineSimulator


class Point(StrEnum):
    """Where the process ends; between each pair of write, ledger and receipt, and inside of each."""

    BEFORE_SINK = "before_sink"
    INSIDE_SINK = "inside_sink"
    AFTER_SINK = "after_sink"
    INSIDE_LEDGER = "inside_ledger"
    AFTER_LEDGER = "after_ledger"
    AFTER_RECEIPT = "after_receipt"


class Spec(msgspec.Struct):
    """What to run.

    Attributes:
        server: ``tls://host:port`` of the broker.
        certificate: of a cloud; its key and trust follow.
        influx: URL of an InfluxDB 1.x that was provisioned.
        operations: URL of a migrated operations database; password file and trust follow where it is a server.
        point: where to end; None: nowhere.
        at: at which passage of that point, from 1.
        is_ledger_first: notes what it has not written yet: a proof of the order.
        is_unbounded: takes whatever comes: a proof of the caps.
    """

    server: str
    certificate: str
    private_key: str
    trust: str
    influx: str
    operations: str
    password_file: str | None = None
    operations_trust: str | None = None
    point: Point | None = None
    at: int = 1
    is_ledger_first: bool = False
    is_unbounded: bool = False


class Killer:
    """Ends the process at a passage of a point."""

    def __init__(self, spec: Spec) -> None:
        self._point = spec.point
        self._left = spec.at

    def pass_by(self, point: Point) -> None:
        if point is self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def is_next(self, point: Point) -> bool:
        return point is self._point and self._left == 1


class KillingSink:
    """A sink around a sink."""

    def __init__(self, sink: PointSink, killer: Killer) -> None:
        self._sink = sink
        self._killer = killer

    async def write(self, points: Sequence[StoredRecord]) -> list[Rejected]:
        self._killer.pass_by(Point.BEFORE_SINK)
        if self._killer.is_next(Point.INSIDE_SINK):
            await self._sink.write(points[: len(points) // 2])
        self._killer.pass_by(Point.INSIDE_SINK)
        rejected = await self._sink.write(points)
        self._killer.pass_by(Point.AFTER_SINK)
        return rejected

    async def check(self) -> None:
        await self._sink.check()

    async def close(self) -> None:
        await self._sink.close()


class KillingLedger:
    """A ledger around a ledger."""

    def __init__(self, ledger: StreamLedger, killer: Killer) -> None:
        self._ledger = ledger
        self._killer = killer

    async def plan(self, batches: Sequence[ReceivedBatch]) -> list[CommitPlan]:
        return await self._ledger.plan(batches)

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        outcomes = await self._ledger.commit(batches)
        self._killer.pass_by(Point.AFTER_LEDGER)
        return outcomes


class KillingSender:
    """A bus around a bus, for receipts."""

    def __init__(self, sender: ReceiptSender, killer: Killer) -> None:
        self._sender = sender
        self._killer = killer

    async def publish(self, topic: Topic, data: bytes) -> None:
        await self._sender.publish(topic, data)
        self._killer.pass_by(Point.AFTER_RECEIPT)


def kill_inside_transactions(killer: Killer) -> None:
    """End inside a transaction of the ledger: its statements are done, its commit is not."""
    write_changes = sql_ledger_rows.write_changes

    async def write_and_pass(*arguments: Any) -> None:
        await write_changes(*arguments)
        killer.pass_by(Point.INSIDE_LEDGER)

    sql_ledger_rows.write_changes = write_and_pass  # type: ignore[assignment]


class LedgerFirstWriter(LedgeredWriter):
    """The wrong order: what is noted is not written yet."""

    async def _write(self, batches: Sequence[ReceivedBatch], changing: Sequence[tuple[int, CommitPlan]]) -> None:
        await self._ledger.commit([batches[index] for index, _ in changing])
        await super()._write(batches, changing)


def take_caps_away() -> None:
    """Let bus and intake hold whatever comes."""
    nats_session.PENDING_MESSAGES = nats_session.PENDING_BYTES = service.MAX_WAITING = sys.maxsize


async def run(spec: Spec) -> None:
    """Run the store role until SIGTERM."""
    if spec.is_unbounded:
        take_caps_away()
    registry, killer = CollectorRegistry(), Killer(spec)
    kill_inside_transactions(killer)
    password_file, trust = (Path(name) if name else None for name in (spec.password_file, spec.operations_trust))
    database = OperationsDatabase(spec.operations, ServerAccess(password_file, trust))
    context = client_context(Path(spec.certificate), Path(spec.private_key), Path(spec.trust))
    bus = NatsBus([spec.server], context, "faulty-store", BusMetrics(registry), random.Random())
    ledger = KillingLedger(SqlStreamLedger(database), killer)
    sink = KillingSink(influx_sink(spec.influx), killer)
    kind = LedgerFirstWriter if spec.is_ledger_first else LedgeredWriter
    writer = kind(sink, ledger, QuarantineSimulator(), LedgeredMetrics(registry))
    metrics = IngestMetrics(registry)
    desk = PoisonDesk(SqlPoisonStore(database), bus, metrics)
    sender = KillingSender(bus, killer)
    backoff = FullJitter(0.05, 0.5, random.Random())
    ingest = IngestService(writer, sender, desk, metrics, backoff, time_ns, lambda _batch: None)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await bus.subscribe_shared(Channel.RECORDS, "store", ingest.on_records)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(start()) for start in (bus.run, ingest.run, desk.run)]
        await stop.wait()
        await bus.stop_delivery()
        await ingest.drain()
        await bus.close()
        for task in tasks:
            task.cancel()
    await writer.close()
    await database.close()


def main() -> None:
    """Read the spec and run."""
    set_up_logging("info", "json")
    asyncio.run(run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Spec)))


if __name__ == "__main__":
    main()
