"""A start on a large history: what filling the picture costs, and that serving waits for none of it.

Reduced: 2*10^4 and 2*10^5 positions of the same vessels. With ``PORTTRACK_WHOLE=1``: 10^5 and 10^6.
"""

import json
import os
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cloud_api.history import sqlite_queries
from cloud_api.history.influx import latest, questions
from cloud_api.history.influx.http_v1 import InfluxQueries, Server
from cloud_api.history.influx.placing_policy import DAY_NS
from cloud_api.history.influx.provisioning import Retention, provision
from tests.support.broker import running_broker
from tests.support.history_builder import Day, build_sqlite
from tests.support.influx_day import build_influx
from tests.support.influx_server import running_influx
from tests.support.influx_sink import DATABASE
from tests.support.processes import wait_until
from tests.support.store_plant import cloud_part

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
SHIPS = 50 if IS_WHOLE else 10
STEPS = (2_000, 20_000)
"""Reports of each ship: both more than the 1,000 points of a block, the least that InfluxDB reads of a series."""
MAX_RATIO = 1.5
ROUNDS = 7
HANG_S = 30.0
HOUR_NS = 3600 * 10**9
WRITTEN_OUT = {"data": ['cache-snapshot-write-cold-duration = "1s"', 'cache-snapshot-memory-size = "1m"']}
"""What is in the server's memory of writes is copied by each question, 25 MB at most whatever is stored: here it is
written out, so that what is stored is seen alone."""


class Hour(Day):
    """An hour of ships that report as often as makes so many steps."""

    def at_ns(self, ship: int, step: int) -> int:
        return self.start_ns + step * (HOUR_NS // self.steps) + ship * 1_000_000


def hour(steps: int) -> Day:
    """The last hour."""
    return Hour(SHIPS, time.time_ns() - HOUR_NS, steps)


def test_on_sqlite_the_cost_is_that_of_the_vessels(tmp_path: Path) -> None:
    costs = []
    for steps in STEPS:
        path = tmp_path / f"{steps}.sqlite"
        build_sqlite(path, hour(steps))
        with sqlite3.connect(path) as connection:
            looks: list[int] = []
            connection.set_progress_handler(lambda seen=looks: seen.append(1), 10)  # type: ignore[misc]
            assert len(sqlite_queries.latest_observations(connection, 0)) == SHIPS
            costs.append(len(looks))
        connection.close()
    tell(store="sqlite", steps_of_machine=costs)
    assert costs[1] <= MAX_RATIO * costs[0]


@asynccontextmanager
async def histories(folder: Path) -> AsyncIterator[list[InfluxQueries]]:
    """Two histories of the same vessels in one server each, the second ten times the first."""
    with running_influx(folder / "few", WRITTEN_OUT) as few, running_influx(folder / "many", WRITTEN_OUT) as many:
        found = []
        for server, steps in zip((few, many), STEPS, strict=True):
            queries = InfluxQueries(Server(server.url, DATABASE))
            await provision(queries, DATABASE, Retention(30 * DAY_NS, 730 * DAY_NS))
            build_influx(server, hour(steps))
            found.append(queries)
        for server in (few, many):
            wait_until(lambda files=server.folder: is_written_out(files), HANG_S, "the cache is written out")  # type: ignore[misc]
        try:
            yield found
        finally:
            for queries in found:
                await queries.close()


def is_written_out(folder: Path) -> bool:
    """Tell whether the server's log of what is only in memory is empty."""
    return sum(file.stat().st_size for file in (folder / "wal").rglob("*.wal")) == 0


async def least_s(ask: Callable[[], Awaitable[int]], expected: int) -> float:
    """Return the shortest time of some rounds: what the machine does beside makes the others longer."""
    times = []
    for _ in range(ROUNDS):
        begun_s = time.perf_counter()
        assert await ask() == expected
        times.append(time.perf_counter() - begun_s)
    return min(times)


async def test_on_influxdb_the_cost_is_that_of_the_vessels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with histories(tmp_path) as both:
        ratio = await measure("influxdb", both)
        # mutation proof: every point of the time that is asked for is looked at
        monkeypatch.setattr(questions, "LOOKED_AT", 10**9)
        unbounded = await measure("influxdb, all points", both)
    assert ratio <= MAX_RATIO
    assert unbounded > MAX_RATIO


async def measure(name: str, both: list[InfluxQueries]) -> float:
    seconds = []
    for queries in both:

        async def ask(asked: InfluxQueries = queries) -> int:
            return len(await latest.latest_observations(asked, 0))

        seconds.append(await least_s(ask, SHIPS))
    tell(store=name, seconds=[round(one, 4) for one in seconds], ratio=round(seconds[1] / seconds[0], 2))
    return seconds[1] / seconds[0]


def tell(**figures: object) -> None:
    print(json.dumps(figures))  # noqa: T201 - the figure


@contextmanager
def silent_server() -> Iterator[str]:
    """Yield the URL of a history server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_pages_and_probes_answer_while_the_history_hangs(tmp_path: Path) -> None:
    with silent_server() as history, running_broker(tmp_path) as broker:
        stores = (
            f'[history]\nkind = "influxdb"\nversion = "1"\nurl = "{history}"\n'
            f'[operations]\nurl = "sqlite+aiosqlite:///{tmp_path}/operations.sqlite"'
        )
        cloud = cloud_part("api", tmp_path, [broker.url], broker.cloud(), "api,track", stores)
        url = cloud._ready_url.removesuffix("/readyz")
        cloud.start()
        try:
            wait_until(lambda: answers(url), HANG_S, f"it serves\n{cloud.process.tail()}")
            # the first attempt is given up after 30 s: who serves while it hangs does not wait for it
            assert get(f"{url}/healthz") == (200, {"status": "ok", "picture": "warming"})
            assert get(f"{url}/api/v1/vessels")[0] == 200
            status, ready = get(f"{url}/readyz")
            assert (status, ready["checks"]["history"], ready["picture"]) == (503, "timeout", "warming")
        finally:
            cloud.process.kill()


def answers(url: str) -> bool:
    try:
        return get(f"{url}/healthz")[0] == 200
    except OSError:
        return False
