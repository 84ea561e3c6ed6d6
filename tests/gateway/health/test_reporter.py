from contracts.errors import LinkError
from contracts.health import GatewayStatus, SourceStatus
from contracts.payloads import HealthEvent, Log
from edge_agent.clock import ClockProbe, Stamper
from firmware_configs.device import Flash
from gateway.clock import DeviceClock
from gateway.counters import Counters
from gateway.health.journal import Journal
from gateway.health.measures import Measures
from gateway.health.reporter import Owner, Reporter
from gateway.local.board import Board
from gateway.outbox.models import OutboxStats
from gateway.outbox.salvage.models import Damage
from gateway.uplink.connection import UplinkState
from gateway.uplink.uplink import UplinkFigures
from tests.gateway.health.test_journal import Sink


class Driver:
    is_running = True
    is_link_up = True
    last_error = ""
    pid: int | None = None

    def status(self) -> SourceStatus:
        return SourceStatus(source="ais", kind="nmea", state="running")


class Box:
    trouble = ""

    def __init__(self) -> None:
        self.damages: list[Damage] = []
        self.is_broken = False

    async def stats(self) -> OutboxStats:
        if self.is_broken:
            raise LinkError("use", "outbox", "broken")
        return OutboxStats(oldest_age_s=3.0, quarantined_batches=2, is_volatile=True)

    def take_damages(self) -> list[Damage]:
        damages, self.damages = self.damages, []
        return damages


class Link:
    def __init__(self) -> None:
        self.state = UplinkState(is_up=True, broker="b", reason="")
        self.published: list[GatewayStatus] = []

    def figures(self) -> UplinkFigures:
        return UplinkFigures([], 1.0, 0)

    def publish_status(self, status: GatewayStatus) -> bool:
        self.published.append(status)
        return self.state.is_up


class Bench:
    def __init__(self) -> None:
        self.sink = Sink()
        self.driver, self.box, self.link, self.board = Driver(), Box(), Link(), Board()
        counters = Counters()
        stamper = Stamper("gateway", None, "b", ClockProbe(lambda: None))
        self.reporter = Reporter(
            Owner("s", "g", "1"), DeviceClock(ClockProbe(lambda: None)), {"ais": self.driver}, self.box, self.link,
            Journal("gateway", self.sink, stamper, counters), self.board, counters,
            Measures(Flash(), {}), interval_s=1.0,
        )  # fmt: skip

    async def events(self) -> list[tuple[str, bool]]:
        before = len(self.sink.stored)
        await self.reporter.note_changes()
        payloads = [item.payload for item in self.sink.stored[before:]]
        return [(item.subject, item.is_healthy) for item in payloads if isinstance(item, HealthEvent)]


async def test_a_report_goes_to_the_cloud_and_to_the_local_page() -> None:
    bench = Bench()
    assert await bench.reporter.report()
    (status,) = bench.link.published
    assert (status.site, status.gateway, status.oldest_unacknowledged_s, status.quarantined_batches) == ("s", "g", 3, 2)
    assert status.is_volatile
    newest = bench.board.newest()
    assert newest is not None
    assert newest.status == status


async def test_a_report_is_made_although_the_disk_does_not_answer() -> None:
    bench = Bench()
    await bench.reporter.report()
    bench.box.is_broken = True
    await bench.reporter.report()
    assert bench.link.published[1].quarantined_batches == 2
    assert bench.link.published[1].counters["status_without_stats"] == 1


async def test_changes_are_written_down_once() -> None:
    bench = Bench()
    assert sorted(await bench.events()) == [
        ("driver/ais", True),
        ("link/ais", True),
        ("outbox", True),
        ("uplink", True),
    ]
    assert await bench.events() == []
    bench.driver.is_link_up = False
    bench.link.state = UplinkState(reason="lost", cause="cut")
    assert sorted(await bench.events()) == [("link/ais", False), ("uplink", False)]
    bench.driver.is_running = False
    bench.box.trouble = "full"
    assert sorted(await bench.events()) == [("driver/ais", False), ("outbox", False)]
    assert await bench.events() == []


async def test_a_damaged_database_is_told_with_the_ranges_that_are_lost_and_alarmed() -> None:
    bench = Bench()
    bench.box.damages = [
        Damage(
            file="outbox.db.damaged-1",
            cause="malformed",
            lost={"s.g.0123456789abcdef.track": [(5, 41), (60, 60)]},
            declared={},
            saved_batches=3,
            saved_records=30,
        )
    ]
    await bench.reporter.note_changes()
    told = [item.payload for item in bench.sink.stored]
    assert [item.fields for item in told if isinstance(item, Log)] == [
        {
            "file": "outbox.db.damaged-1", "cause": "malformed", "saved_batches": 3, "saved_records": 30,
            "left_batches": 0, "lost_records": 38, "lost": "s.g.0123456789abcdef.track: 5-41, 60",
        }
    ]  # fmt: skip
    (event,) = [item for item in told if isinstance(item, HealthEvent) and item.subject == "outbox/data"]
    assert not event.is_healthy
    assert "38" in event.reason
