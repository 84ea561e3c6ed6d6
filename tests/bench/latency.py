"""From the byte on the serial line to the WebSocket message, and what the processes weigh meanwhile.

150 messages a second, the pace of a national feed, through pty, driver, gateway, broker, cloud and WebSocket. A report
is stamped when its last byte is written and again when a frame that holds its target at its position has arrived.
"""

import asyncio
import tempfile
import threading
import time
from pathlib import Path

import aiohttp
import psutil

from tests.bench.figures import percentile, report
from tests.support.ais_feed import FIRST_MMSI, numbered_message
from tests.support.live_wire import decode
from tests.support.port import Port, nmea_source, running_port
from tests.support.processes import wait_until
from tests.support.ptys import SensorPty

GATEWAY = "gw-bench"
RATE_HZ = 150
MESSAGES = 4500
WARM_UP = 450
TAIL_S = 5.0
BUDGET_P50_S, BUDGET_P99_S = 0.25, 1.0
"""Budget of the control room: gateway event to pixel on a LAN."""


def run() -> None:
    """Start a port, feed it for half a minute, print latency and memory."""
    pty = SensorPty()
    with tempfile.TemporaryDirectory() as folder, running_port(Path(folder)) as port:
        port.start_cloud()
        gateway = port.start_gateway(GATEWAY, [nmea_source("ais", pty.device)])
        wait_until(lambda: gateway.children("edge_agent"), 30, "the driver runs")
        wait_until(lambda: port.gateway_view(GATEWAY) is not None, 30, "the gateway reports")
        seen = asyncio.run(_measure(port, pty))
        latencies = [seen[number] for number in sorted(seen) if number >= WARM_UP]
        share = len(seen) / MESSAGES
        for name, value, budget in (
            ("p50", percentile(latencies, 0.50), BUDGET_P50_S),
            ("p95", percentile(latencies, 0.95), BUDGET_P99_S),
            ("p99", percentile(latencies, 0.99), BUDGET_P99_S),
        ):
            report(f"end_to_end_latency_{name}", value * 1000, "ms", limit_ms=budget * 1000,
                   ratio=round(value / budget, 3), rate_hz=RATE_HZ, seen_share=round(share, 4))  # fmt: skip
        _report_memory(port)
    pty.close()


async def _measure(port: Port, pty: SensorPty) -> dict[int, float]:
    written: dict[int, float] = {}
    seen: dict[int, float] = {}
    loop = asyncio.get_running_loop()
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(port.url("/ws/live"), max_msg_size=0, timeout=aiohttp.ClientWSTimeout(ws_close=2)) as socket,
    ):
        writer = loop.run_in_executor(None, _write, pty, written)
        deadline: float | None = None
        while len(seen) < MESSAGES and (deadline is None or time.monotonic() < deadline):
            message = await socket.receive(timeout=10)
            arrived = time.monotonic()
            for target in decode(message.data).targets:
                number = target["mmsi"] - FIRST_MMSI
                if number in written and number not in seen:
                    seen[number] = arrived - written[number]
            if writer.done() and deadline is None:
                deadline = arrived + TAIL_S
        await writer
    return seen


def _write(pty: SensorPty, written: dict[int, float]) -> None:
    threading.current_thread().name = "instrument"
    messages = [numbered_message(number) for number in range(MESSAGES)]
    start = time.monotonic()
    for number, data in enumerate(messages):
        delay = start + number / RATE_HZ - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        pty.write(data)
        written[number] = time.monotonic()


def _report_memory(port: Port) -> None:
    gateway = psutil.Process(port.process(GATEWAY).pid)
    family = [gateway, *gateway.children(recursive=True)]
    total = sum(process.memory_info().rss for process in family)
    report(
        "gateway_rss", total / 2**20, "MiB", processes=len(family), limit_mib=120, ratio=round(total / 2**20 / 120, 3)
    )
    cloud = psutil.Process(port.process("cloud").pid).memory_info().rss
    report("cloud_rss", cloud / 2**20, "MiB")
