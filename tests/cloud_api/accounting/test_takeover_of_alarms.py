"""Processes judge one site in turn, over one store: an alarm is raised once, and whoever judges sees its end."""

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cloud_api.accounting.alarm_desk import AlarmDesk
from cloud_api.accounting.metrics import AccountingMetrics
from cloud_api.accounting.models import Moment, OpenStream, Settlement, StreamAlarm
from cloud_api.accounting.policy import Accountant
from cloud_api.accounting.service import AccountingService
from cloud_api.history.models import SeqRange, StreamBalance
from contracts.errors import LinkError
from contracts.health import GatewayStatus, StreamStatus
from tests.support.batches import GATEWAY, SITE, START_NS, STREAM
from tests.support.statuses import status


class Office:
    """The operations database and the history: what all processes share."""

    def __init__(self) -> None:
        self.holder, self.lease = "a", 1
        self.standing: dict[str, StreamAlarm] = {}
        self.raised: list[StreamAlarm] = []
        self.cleared: list[StreamAlarm] = []
        self.rows: dict[str, OpenStream] = {}
        self.covered = [SeqRange(1, 50), SeqRange(61, 100)]
        self.is_fenced = True
        self.loses_answers = False

    def hand_over(self, holder: str) -> None:
        self.holder, self.lease = holder, self.lease + 1


class Clerk:
    """One process: everything that is in front of the shared stores."""

    def __init__(self, name: str, office: Office) -> None:
        self.name, self.office = name, office
        self.registry = CollectorRegistry()
        self.believes = True
        self.now_s = 0.0
        accountant, metrics = Accountant(), AccountingMetrics(self.registry)
        desk = AlarmDesk(accountant, self, self, metrics)
        self.service = AccountingService(accountant, self, desk, self, metrics, self.moment)

    def moment(self) -> Moment:
        return Moment(START_NS + int(self.now_s * 1e9), self.now_s)

    def epoch(self, _site: str) -> int | None:
        return self.office.lease if self.believes and self.office.holder == self.name else None

    async def load(self) -> list[OpenStream]:
        return list(self.office.rows.values())

    async def standing(self) -> list[StreamAlarm]:
        return list(self.office.standing.values())

    async def settle(self, _site: str, epoch: int, settlement: Settlement) -> None:
        office = self.office
        if office.is_fenced and epoch != office.lease:
            raise LinkError("settle", "office", "not ours", "", "lease_lost")
        for one in settlement.raised:
            office.raised.append(one)
            office.standing[one.stream_id] = one
        for one in settlement.cleared:
            office.cleared.append(one)
            del office.standing[one.stream_id]
        office.rows |= {one.stream_id: one for one in settlement.changed}
        for stream_id in settlement.closed:
            del office.rows[stream_id]
        if office.loses_answers:
            raise TimeoutError

    async def balances(self) -> list[StreamBalance]:
        covered = self.office.covered
        size = sum(one.last_seq - one.first_seq + 1 for one in covered)
        return [StreamBalance(STREAM, covered[-1].last_seq, size, {}, covered)]

    def tell_standing(self, _standing: object) -> None:
        return

    def figure(self, name: str) -> float | None:
        return self.registry.get_sample_value(name, {"site": SITE, "gateway": GATEWAY})


def report(next_seq: int = 101) -> GatewayStatus:
    streams = [StreamStatus(stream_id=STREAM, next_seq=next_seq, buffered_ranges=[])]
    return msgspec.structs.replace(status(), streams=streams)


async def look(clerks: list[Clerk], count: int, next_seq: int = 101) -> None:
    for _ in range(count):
        for clerk in clerks:
            clerk.service.on_status(report(next_seq), clerk.moment().utc_ns)
            clerk.now_s += 6.0
            await clerk.service.look()


@pytest.fixture
def office() -> Office:
    return Office()


async def test_only_the_holder_raises_tells_and_shows_figures(office: Office) -> None:
    first, second = Clerk("a", office), Clerk("b", office)
    with capture_logs() as logs:
        await look([first, second], 6)
    assert len(office.raised) == 1
    assert [entry["event"] for entry in logs].count("accounting_alarm") == 1
    assert first.figure("accounting_holes") == 1
    assert second.figure("accounting_holes") is None
    begins = {clerk.service.standings[0].since_ns for clerk in (first, second)}
    assert begins == {office.raised[0].raised_ns}, "every screen shows the same beginning"


@pytest.mark.parametrize("looks_before", range(8))
@pytest.mark.parametrize("looks_to_clear", [0, 1, 2])
async def test_a_takeover_at_any_moment_leaves_one_alarm_and_one_end(
    office: Office, looks_before: int, looks_to_clear: int
) -> None:
    first, second = Clerk("a", office), Clerk("b", office)
    await look([first, second], looks_before)
    office.hand_over("b")
    await look([second], 6)
    assert len(office.raised) == 1
    office.covered = [SeqRange(1, 100)]
    await look([second], looks_to_clear)
    third = Clerk("c", office)
    third.now_s = second.now_s
    await third.service.restore([])
    office.hand_over("c")
    await look([third], 3)
    assert (len(office.raised), len(office.cleared)) == (1, 1)
    assert office.standing == {}


@pytest.mark.parametrize("looks_before", range(6))
async def test_a_lease_that_comes_while_the_rows_are_read_doubles_nothing(
    office: Office, looks_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second reads what stands; the first raises, and its lease goes; then the second learns that it is its own."""
    first, second = Clerk("a", office), Clerk("b", office)
    read = second.standing

    async def read_early() -> list[StreamAlarm]:
        found = await read()
        if office.holder == "a":
            await look([first], 1)
            office.hand_over("b")
        return found

    with capture_logs() as logs:
        await look([first, second], looks_before)
        monkeypatch.setattr(second, "standing", read_early)
        await look([second], 6)
    assert len(office.raised) == 1
    assert [entry["event"] for entry in logs].count("accounting_alarm") == 1


async def test_who_takes_over_without_having_heard_the_gateway_ends_nothing(office: Office) -> None:
    await look([Clerk("a", office)], 6)
    fresh = Clerk("b", office)
    await fresh.service.restore([])
    office.hand_over("b")
    for _ in range(3):
        fresh.now_s += 6.0
        await fresh.service.look()
    assert office.cleared == []
    await look([fresh], 6)
    assert (len(office.raised), office.cleared) == (1, [])


async def test_a_gateway_that_went_back_is_not_forgiven_by_a_takeover(office: Office) -> None:
    office.covered = [SeqRange(1, 100)]
    first = Clerk("a", office)
    await look([first], 2)
    await look([first], 5, next_seq=51)
    (alarm,) = office.raised
    assert alarm.verdict == "went_back"
    fresh = Clerk("b", office)
    fresh.now_s = first.now_s
    await fresh.service.restore([])
    office.hand_over("b")
    await look([fresh], 6, next_seq=51)
    assert (office.raised, office.cleared) == ([alarm], [])


async def test_a_holder_that_lost_its_lease_writes_nothing_and_hides_its_figures(office: Office) -> None:
    first, second = Clerk("a", office), Clerk("b", office)
    await look([first, second], 6)
    office.hand_over("b")
    first.service.on_lease(is_held=False)
    assert first.figure("accounting_holes") is None
    office.covered = [SeqRange(1, 100)]
    await look([first], 3)
    assert office.cleared == []


async def test_without_lease_and_fence_alarms_are_doubled(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.is_fenced = False
    monkeypatch.setattr(Clerk, "epoch", lambda _self, _site: 1)

    async def sees_nothing(_self: Clerk) -> list[StreamAlarm]:
        return []

    monkeypatch.setattr(Clerk, "standing", sees_nothing)
    await look([Clerk("a", office), Clerk("b", office)], 6)
    assert len(office.raised) > 1


async def test_an_alarm_whose_answer_was_lost_is_told_once_all_the_same(office: Office) -> None:
    clerk = Clerk("a", office)
    office.loses_answers = True
    with capture_logs() as logs:
        await look([clerk], 4)
        office.loses_answers = False
        await look([clerk], 3)
    assert len(office.raised) == 1
    assert [entry["event"] for entry in logs].count("accounting_alarm") == 1


async def test_an_end_whose_answer_was_lost_is_told_once_all_the_same(office: Office) -> None:
    clerk = Clerk("a", office)
    await look([clerk], 6)
    office.covered = [SeqRange(1, 100)]
    office.loses_answers = True
    with capture_logs() as logs:
        await look([clerk], 2)
        office.loses_answers = False
        await look([clerk], 3)
    assert len(office.cleared) == 1
    assert [entry["event"] for entry in logs].count("accounting_alarm_cleared") == 1


async def test_an_end_that_was_refused_is_told_by_the_successor_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Clerk("a", office), Clerk("b", office)
    await look([first, second], 6)
    believed: list[int | None] = [office.lease]
    monkeypatch.setattr(first, "epoch", lambda _site: believed[0])
    office.hand_over("b")
    office.covered = [SeqRange(1, 100)]
    with capture_logs() as logs:
        await look([first], 1)
        await look([second], 2)
        believed[0] = None
        await look([first], 2)
    assert [entry["event"] for entry in logs].count("accounting_alarm_cleared") == 1
