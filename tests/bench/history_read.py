"""How long a day's track of one ship takes out of a large history, thinned to 500 points, beside the bare query.

The history holds a day of ships that report each ten seconds: 10^6 positions, or with ``PORTTRACK_WHOLE=1`` 10^7. What
is timed is all that the server does for one answer: the question to the store, thinning, and the JSON. The bare query
asks the same store for the same rows and throws them away. Ships are asked for in random order, each once a side.
"""

import asyncio
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from time import perf_counter

from cloud_api.archive.models import TrackQuery
from cloud_api.archive.rendering import track_json
from cloud_api.archive.service import ArchiveService
from cloud_api.history.influx.http_v1 import InfluxQueries, Server
from cloud_api.history.influx.provisioning import Retention, provision
from cloud_api.history.influx.reader import InfluxHistoryReader
from cloud_api.history.influx.schema import PLACED, slot_of
from cloud_api.history.reading import ThinnedTrack
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from tests.bench.figures import percentile, report
from tests.support.history_backends import NoLedger
from tests.support.history_builder import BURST_KN, FIRST_MMSI, Day, build_sqlite
from tests.support.influx_day import build_influx
from tests.support.influx_server import running_influx
from tests.support.influx_sink import DATABASE, KEEP_DAYS

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
SHIPS = 1_158 if IS_WHOLE else 116
MAX_POINTS = 500
QUESTIONS = 100
AIM_P95_MS = 150.0
DAY_NS = 86_400 * 10**9
SETTLE_S = 5.0
"""For the server to pack what was written last."""

Ask = Callable[[int], Awaitable[None]]


def run() -> None:
    """Measure each store that can run here."""
    day = Day(SHIPS, (time.time_ns() // DAY_NS - 1) * DAY_NS)
    for name, measure in MEASURED.items():
        with tempfile.TemporaryDirectory() as folder:
            started = perf_counter()
            asyncio.run(measure(name, day, Path(folder), started))


async def _sqlite(name: str, day: Day, folder: Path, started: float) -> None:
    path = folder / "history.sqlite"
    build_sqlite(path, day)
    _say(name, day, started)
    reader = SqliteHistoryReader(path)
    bare = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)

    async def ask_bare(mmsi: int) -> None:
        rows = bare.execute(
            "SELECT observed_at_ns, payload FROM series JOIN points USING (series_ref)"
            " WHERE mmsi = ? AND observed_at_ns BETWEEN ? AND ? ORDER BY observed_at_ns",
            (mmsi, *day.span),
        ).fetchall()
        assert len(rows) == day.steps

    try:
        await _measure(name, day, _asking(ArchiveService(reader, time.time_ns), day), ask_bare)
    finally:
        bare.close()
        await reader.close()


def _asking(service: ArchiveService, day: Day) -> Ask:
    query = TrackQuery.model_validate(
        {"from": str(day.span.from_ns), "to": str(day.span.to_ns), "max_points": MAX_POINTS}
    )

    async def ask(mmsi: int) -> None:
        answer = await service.track(mmsi, query)
        assert isinstance(answer.found, ThinnedTrack)
        assert answer.found.stored == day.steps
        assert len(answer.found.points) <= MAX_POINTS
        assert max(one.sog_kn or 0.0 for one in answer.found.points) == BURST_KN
        track_json(mmsi, answer)

    return ask


async def _measure(name: str, day: Day, ask: Ask, ask_bare: Ask) -> None:
    """Ask both by turns, each ship once: whoever comes first pays for the cold pages of both."""
    ships = random.Random(7).sample(range(day.ships), min(QUESTIONS, day.ships))
    ours: list[float] = []
    bare: list[float] = []
    for number, ship in enumerate(ships):
        sides = [(ask, ours), (ask_bare, bare)]
        for side, times in sides if number % 2 else reversed(sides):
            started = perf_counter()
            await side(FIRST_MMSI + ship)
            times.append((perf_counter() - started) * 1_000)
    p95, limit = percentile(ours, 0.95), percentile(bare, 0.95)
    report(
        f"history_track_p95_{name}", p95, "ms", p50=round(percentile(ours, 0.5), 1), positions=day.positions,
        points=MAX_POINTS, aim=AIM_P95_MS, limit=round(limit, 1), ratio=round(p95 / limit, 2),
    )  # fmt: skip


def _say(name: str, day: Day, started: float) -> None:
    sys.stderr.write(f"{name}: {day.positions} positions stored in {perf_counter() - started:.0f} s\n")


async def _influx(name: str, day: Day, folder: Path, started: float) -> None:
    # what is written is packed within a second, as it would be within minutes
    with running_influx(folder, {"data": ['cache-snapshot-write-cold-duration = "1s"']}) as server:
        queries = InfluxQueries(Server(server.url, DATABASE))
        await provision(queries, DATABASE, Retention(KEEP_DAYS * DAY_NS, 0))
        await asyncio.to_thread(build_influx, server, day)
        await asyncio.sleep(SETTLE_S)
        _say(f"{name} ({server.version()})", day, started)
        reader = InfluxHistoryReader(queries, NoLedger(), KEEP_DAYS * DAY_NS, has_minutes=False)

        async def ask_bare(mmsi: int) -> None:
            statement = (
                "SELECT lon_deg, lat_deg, sog_kn, cog_deg, heading_deg, at_ns FROM ais WHERE"  # noqa: S608 - ours
                f" slot = '{slot_of(mmsi)}' AND mmsi = {mmsi}"
                f" AND time >= {day.span.from_ns} AND time <= {day.span.to_ns}"
            )
            lines = [line async for line in queries.ask(statement, PLACED)]
            assert lines

        try:
            await _measure(name, day, _asking(ArchiveService(reader, time.time_ns), day), ask_bare)
        finally:
            await reader.close()


MEASURED: dict[str, Callable[[str, Day, Path, float], Coroutine[None, None, None]]] = {
    "sqlite": _sqlite,
    "influxdb": _influx,
}


if __name__ == "__main__":
    run()
