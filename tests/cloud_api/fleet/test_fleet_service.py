"""Reports in, entries out, and a store that fails for a while."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from cloud_api.fleet.metrics import FleetMetrics
from cloud_api.fleet.models import GatewayEntry
from cloud_api.fleet.registry_policy import FleetRegistry
from cloud_api.fleet.service import FleetService
from contracts.codec import encode_message
from contracts.errors import LinkError
from contracts.topics import Channel, Topic
from tests.support.statuses import status

TOPIC = Topic(site="puerto-demo", gateway="gw-1", channel=Channel.STATUS)
NOW_NS = 1_790_000_000_000_000_000


class Rows:
    """``GatewayStore`` in memory."""

    def __init__(self) -> None:
        self.saved: dict[tuple[str, str], GatewayEntry] = {}
        self.is_failing = False

    async def save(self, entries: Sequence[GatewayEntry]) -> None:
        if self.is_failing:
            raise LinkError("save gateways", "rows", "locked", "", "database")
        self.saved |= {entry.key(): entry for entry in entries}

    async def load(self) -> list[GatewayEntry]:
        return list(self.saved.values())


class Bench:
    def __init__(self) -> None:
        self.rows = Rows()
        self.registry = CollectorRegistry()
        self.heard: list[GatewayEntry] = []
        metrics = FleetMetrics(self.registry)
        self.service = FleetService(FleetRegistry(), self.rows, metrics, lambda: NOW_NS, self.heard.append)

    def rejected(self, reason: str) -> float:
        return self.registry.get_sample_value("fleet_status_rejected_total", {"reason": reason}) or 0.0


async def test_a_report_is_told_on_at_once_and_written() -> None:
    bench = Bench()
    await bench.service.on_status(TOPIC, encode_message(status()))
    assert [entry.status for entry in bench.heard] == [status()]
    await bench.service.finish()
    assert list(bench.rows.saved) == [("puerto-demo", "gw-1")]


async def test_a_report_in_the_name_of_another_or_unreadable_is_counted_and_dropped() -> None:
    bench = Bench()
    await bench.service.on_status(TOPIC, encode_message(status(gateway="gw-2")))
    await bench.service.on_status(TOPIC, b"{")
    await bench.service.on_status(TOPIC, encode_message(status(at_ns=2**70)))
    assert bench.heard == []
    assert [bench.rejected(reason) for reason in ("foreign_status", "not_a_message", "bad_time")] == [1, 1, 1]


async def test_what_could_not_be_written_is_written_later() -> None:
    bench = Bench()
    bench.rows.is_failing = True
    await bench.service.on_status(TOPIC, encode_message(status()))
    await bench.service.finish()
    assert bench.rows.saved == {}
    bench.rows.is_failing = False
    await bench.service.finish()
    assert len(bench.rows.saved) == 1
    assert bench.registry.get_sample_value("fleet_write_errors_total", {"reason": "database"}) == 1
