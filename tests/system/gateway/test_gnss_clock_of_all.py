"""A real gateway whose wall clock is wrong: its GNSS receiver's word reaches the records of another driver."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.payloads import GnssFix, Wind
from contracts.records import ClockState
from tests.support.cloud_end import CloudEnd
from tests.support.mqtt_broker import TestBroker
from tests.support.sentences import sentence
from tests.system.gateway.conftest import Maker

pytestmark = pytest.mark.system

AHEAD_S = 3.0
"""True UTC less the wall clock of this machine, as the receiver tells it."""


@asynccontextmanager
async def instrument(say: Callable[[], bytes]) -> AsyncIterator[dict[str, Any]]:
    """Serve what ``say`` returns to each client, five times a second."""

    speaking: set[asyncio.Task[None]] = set()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        speaking.add(task)
        try:
            while True:
                writer.write(say())
                await writer.drain()
                await asyncio.sleep(0.2)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield {"kind": "tcp", "host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
    finally:
        server.close()
        for task in speaking:
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)


def fix() -> bytes:
    now = datetime.fromtimestamp(time.time() + AHEAD_S, UTC)
    return sentence(f"GPRMC,{now:%H%M%S.%f},A,3938.4834,N,00012.4511,W,0.0,,{now:%d%m%y},,,A")


async def test_the_clock_of_every_record_is_what_the_receiver_says(
    broker: TestBroker, cloud: CloudEnd, make_gateway: Maker
) -> None:
    """The sentences come at once, so half of the declared 400 ms is the estimate's fault, and the bound says so."""
    async with instrument(fix) as gnss, instrument(lambda: sentence("WIMWV,90.0,T,7.5,M,A")) as wind:
        sources = [
            {"source": "gnss", "driver": "nmea", "link": gnss, "is_time_source": True, "time_latency_ms": 400},
            {"source": "wind", "driver": "nmea", "link": wind},
        ]
        gateway = make_gateway(sources, [broker.mqtt_port])
        gateway.start()

        def told_by_gnss() -> list[float]:
            return [
                record.clock.error_ms or 0
                for record in cloud.records("telemetry")
                if isinstance(record.payload, Wind)
                and record.clock.state is ClockState.GNSS
                # what came before the first fix has its time given back by it, and a bound of its own
                and record.original_at_ns is None
            ]

        await cloud.until(lambda: len(told_by_gnss()) > 10, 40)
        for error_ms in told_by_gnss():
            assert 3_000 <= error_ms <= 3_000 + 400 + 50
        records = cloud.records("telemetry")
        winds = [record.payload for record in records if isinstance(record.payload, Wind)]
        assert winds[-1].gust_3s_mps == 7.5
        fixes = [record for record in records if isinstance(record.payload, GnssFix)]
        assert abs(fixes[-1].observed_at_ns / 1e9 - time.time()) < 30, "records keep their wall time"
        await cloud.until(lambda: cloud.statuses[-1].clock.state is ClockState.GNSS)
