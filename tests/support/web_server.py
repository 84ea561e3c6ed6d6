"""A real web server on the loopback interface, over a picture that the test feeds."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client import CollectorRegistry

from cloud_api.accounting.models import GatewayStanding
from cloud_api.live.feed import LiveTiming
from cloud_api.live.hub import LiveHub
from cloud_api.live.metrics import HubMetrics
from cloud_api.live.picture import LivePicture
from cloud_api.site.service import load_chart
from cloud_api.tracking.metrics import TrackMetrics
from cloud_api.tracking.service import TrackService
from cloud_api.web.parts import WebParts
from cloud_api.web.probes import Check
from cloud_api.web.server import build_application, listen
from contracts.payloads import Payload
from contracts.records import Record
from tests.support.cloud_observations import batch, record
from tests.support.history_shelf import HistoryShelf

CHART: dict[str, Any] = {
    "type": "FeatureCollection",
    "site": "demo",
    "name_es": "Puerto de prueba",
    "name_en": "Test port",
    "bounds": [-0.4, 39.3, -0.2, 39.5],
    "time_zone": "Europe/Madrid",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-0.3, 39.4]},
            "properties": {"kind": "buoy", "id": "b-1", "name_es": "Boya", "name_en": "Buoy", "colour": "red"},
        }
    ],
}


@dataclass
class StandingsShelf:
    """`Standings` that a test fills."""

    standings: list[GatewayStanding] = field(default_factory=list)
    looked_ns: int | None = None


@dataclass
class RunningServer:
    """One server under test."""

    url: str
    session: aiohttp.ClientSession
    picture: LivePicture
    hub: LiveHub
    track: TrackService
    history: HistoryShelf
    accounting: StandingsShelf
    registry: CollectorRegistry

    def feed(self, *payloads: Payload, **changes: Any) -> None:
        """Let the track role see observations of now."""
        now_ns = time.time_ns()
        records: list[Record] = [record(one, now_ns, seq + 1, **changes) for seq, one in enumerate(payloads)]
        for one in records:
            self.track.on_batch("demo", "gw-1", batch([one]), now_ns)

    def figure(self, name: str, **labels: str) -> float:
        """Return one metric."""
        return self.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def running_server(
    folder: Path,
    *,
    timing: LiveTiming | None = None,
    max_clients: int = 500,
    control_room_dir: Path | None = None,
    checks: Mapping[str, Check] | None = None,
    max_targets: int = 50_000,
    allowed_origins: frozenset[str] = frozenset(),
) -> AsyncIterator[RunningServer]:
    """Start a server with its ticker; stop both."""
    chart = folder / "chart.geojson"
    chart.write_text(json.dumps(CHART), encoding="utf-8")
    registry = CollectorRegistry()
    picture = LivePicture(max_targets)
    hub = LiveHub(picture, HubMetrics(registry), timing, max_clients)
    history = HistoryShelf()
    accounting = StandingsShelf()
    application = build_application(
        WebParts(
            picture=picture,
            hub=hub,
            history=history,
            accounting=accounting,
            chart=load_chart(chart),
            checks=checks or {},
            control_room_dir=control_room_dir,
            allowed_origins=allowed_origins,
            registry=registry,
        )
    )
    runner, port = await listen(application, "127.0.0.1", 0)
    ticker = asyncio.create_task(hub.run())
    url = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession(base_url=url) as session:
            track = TrackService(picture, TrackMetrics(registry))
            yield RunningServer(url, session, picture, hub, track, history, accounting, registry)
    finally:
        await runner.cleanup()
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)
