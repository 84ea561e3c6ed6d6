"""The sink against a server of scripted answers: attempts, halving, what is given up and what is not."""

import gzip
import random
from collections.abc import AsyncIterator, Callable

import pytest
from prometheus_client import CollectorRegistry

from cloud_api.backoff import FullJitter
from cloud_api.history.influx import sink as sink_module
from cloud_api.history.influx.answers_policy import Answer, Meaning
from cloud_api.history.influx.line_protocol import LineEncoder
from cloud_api.history.influx.metrics import InfluxMetrics
from cloud_api.history.influx.placing_policy import DAY_NS, Placing
from cloud_api.history.influx.series_guard_policy import SeriesGuard
from cloud_api.history.influx.sink import ATTEMPTS, MAX_LINES, PROBE, InfluxSink
from cloud_api.history.models import Rejected, StoredRecord
from contracts.errors import LinkError
from contracts.payloads import Ais, Wind
from contracts.records import Record
from tests.support.batches import START_NS, batch, record
from tests.support.influx_sink import stored

WRITTEN = Answer(Meaning.WRITTEN)
Rule = Callable[[str, list[str]], Answer]


class ScriptedServer:
    """Answers by a rule over (policy, lines); keeps what it took."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.taken: list[str] = []
        self.requests: list[int] = []
        self.policies: set[str] = set()

    async def post(self, policy: str, lines: bytes) -> Answer:
        text = gzip.decompress(lines).decode().split("\n")
        self.requests.append(len(text))
        answer = self.rule(policy, text)
        if answer.meaning is Meaning.WRITTEN:
            self.taken += text
            self.policies.add(policy)
        return answer

    async def close(self) -> None:
        self.taken.clear()


class Scene:
    """A sink on a scripted server, with the waits that it made."""

    def __init__(self, rule: Rule) -> None:
        self.server = ScriptedServer(rule)
        self.waits: list[float] = []
        self.registry = CollectorRegistry()
        self.sink = InfluxSink(
            self.server, LineEncoder(), Placing(30 * DAY_NS), SeriesGuard(), InfluxMetrics(self.registry),
            FullJitter(0.5, 4.0, random.Random(3)), now_ns=lambda: START_NS + 10**12, sleep=self._sleep,
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


MakeScene = Callable[[Rule], Scene]


@pytest.fixture
async def make_scene() -> AsyncIterator[MakeScene]:
    made: list[Scene] = []

    def make(rule: Rule) -> Scene:
        made.append(Scene(rule))
        return made[-1]

    yield make
    for scene in made:
        await scene.sink.close()


def points(count: int, first: int = 1, payload: Wind | Ais | None = None) -> list[StoredRecord]:
    records = [record(seq, payload or Wind(speed_mps=3.0)) for seq in range(first, first + count)]
    return stored(batch(first, first + count - 1, records=records))


def seqs(server: ScriptedServer) -> set[int]:
    return {int(line.partition(",seq=")[2].partition("i")[0]) for line in server.taken if PROBE not in line}


def refusing(bad: set[int]) -> Rule:
    def rule(_policy: str, lines: list[str]) -> Answer:
        if any(f",seq={seq}i" in line for seq in bad for line in lines):
            return Answer(Meaning.REFUSED, "type_conflict", "400: field type conflict")
        return WRITTEN

    return rule


async def test_refused_points_are_singled_out_and_their_neighbours_are_written(make_scene: MakeScene) -> None:
    scene = make_scene(refusing({7, 300}))
    rejected = await scene.sink.write(points(500))
    assert {item.point.record.seq for item in rejected} == {7, 300}
    assert {item.reason for item in rejected} == {"type_conflict"}
    assert seqs(scene.server) == set(range(1, 501)) - {7, 300}
    assert len(scene.server.requests) < 50


async def test_without_halving_the_neighbours_would_be_lost(
    make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: give a refused request up whole, as a client does that does not look into it."""

    async def give_up(self: InfluxSink, policy: str, lines: list[sink_module._Line]) -> list[Rejected]:
        answer = await self._post(policy, lines)
        return [] if answer.meaning is Meaning.WRITTEN else [Rejected(lines[0].point, "x", "x")]

    monkeypatch.setattr(InfluxSink, "_deliver", give_up)
    scene = make_scene(refusing({7}))
    await scene.sink.write(points(500))
    assert not seqs(scene.server)


async def test_a_server_that_refuses_everything_costs_no_point(make_scene: MakeScene) -> None:
    """Wrong organisation, wrong precision, a proxy's page: all say 400, and none of it is the points' fault."""
    scene = make_scene(lambda _policy, _lines: Answer(Meaning.REFUSED, "refused", "400: no"))
    with pytest.raises(LinkError) as caught:
        await scene.sink.write(points(4))
    assert caught.value.reason == "refuses_all"


async def test_without_the_good_point_every_record_would_be_given_up(
    make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of the test above."""

    async def trust(_self: InfluxSink, _refusal: Answer) -> None:
        return

    monkeypatch.setattr(InfluxSink, "_demand_that_good_points_pass", trust)
    scene = make_scene(lambda _policy, _lines: Answer(Meaning.REFUSED, "refused", "400: no"))
    assert len(await scene.sink.write(points(4))) == 4


async def test_a_body_that_is_too_large_is_halved_until_it_fits(make_scene: MakeScene) -> None:
    def rule(_policy: str, lines: list[str]) -> Answer:
        return WRITTEN if len(lines) <= 60 else Answer(Meaning.REFUSED, "too_large", "413")

    scene = make_scene(rule)
    assert await scene.sink.write(points(500)) == []
    assert seqs(scene.server) == set(range(1, 501))


async def test_requests_are_sized(make_scene: MakeScene) -> None:
    scene = make_scene(lambda _policy, _lines: WRITTEN)
    await scene.sink.write(points(MAX_LINES + 1))
    assert sorted(scene.server.requests) == [1, MAX_LINES]


async def test_the_server_is_not_asked_before_it_said(make_scene: MakeScene) -> None:
    answers = iter([Answer(Meaning.LATER, "busy", "503", 30.0), WRITTEN])
    scene = make_scene(lambda _policy, _lines: next(answers))
    assert await scene.sink.write(points(1)) == []
    assert scene.waits == [30.0]


async def test_waits_without_a_word_of_the_server_are_full_jitter_under_a_rising_ceiling(make_scene: MakeScene) -> None:
    scene = make_scene(lambda _policy, _lines: Answer(Meaning.LATER, "server_error", "500"))
    with pytest.raises(LinkError) as caught:
        await scene.sink.write(points(1))
    assert caught.value.reason == "server_error"
    assert len(scene.server.requests) == ATTEMPTS
    assert all(wait_s <= 0.5 * 2**n for n, wait_s in enumerate(scene.waits))
    assert len(set(scene.waits)) > 1


async def test_what_the_server_asked_for_is_waited_for_even_when_the_attempts_are_over(make_scene: MakeScene) -> None:
    scene = make_scene(lambda _policy, _lines: Answer(Meaning.LATER, "busy", "429", 60.0))
    with pytest.raises(LinkError):
        await scene.sink.write(points(1))
    assert scene.waits == [60.0] * ATTEMPTS


async def test_records_of_1970_and_2100_are_stored_apart(make_scene: MakeScene) -> None:
    times = {1: 5 * 10**9, 2: 4_102_444_800 * 10**9, 3: START_NS}
    records: list[Record] = [record(seq, Wind(speed_mps=1.0), at_ns) for seq, at_ns in times.items()]
    scene = make_scene(lambda _policy, _lines: WRITTEN)
    assert await scene.sink.write(stored(batch(1, 3, records=records))) == []
    beyond = {line.rpartition(" ")[2] for line in scene.server.taken}
    assert {"1", "2"} < beyond
    assert scene.server.policies == {"raw", "beyond"}
    labels = {"measurement": "wind", "policy": "beyond"}
    assert scene.registry.get_sample_value("influx_points_written_total", labels) == 2


async def test_what_cannot_be_said_is_refused_before_it_is_sent_and_counted(make_scene: MakeScene) -> None:
    scene = make_scene(lambda _policy, _lines: WRITTEN)
    bad = points(1, payload=Wind(speed_mps=float("nan")))
    rejected = await scene.sink.write([*bad, *points(9, first=2)])
    assert [item.reason for item in rejected] == ["not_finite"]
    assert seqs(scene.server) == set(range(2, 11))
    sample = scene.registry.get_sample_value("influx_points_rejected_total", {"reason": "not_finite"})
    assert sample == 1


async def test_the_same_records_are_the_same_points_in_every_process_and_at_every_attempt(
    make_scene: MakeScene,
) -> None:
    first, second = make_scene(lambda _policy, _lines: WRITTEN), make_scene(lambda _policy, _lines: WRITTEN)
    flood = [record(n, Ais(msg_type=1, mmsi=200_000_000 + n)) for n in range(1, 5001)]
    await second.sink.write(stored(batch(1, 5000, records=flood)))
    second.server.taken.clear()
    await first.sink.write(points(50, payload=Ais(msg_type=1, mmsi=1)))
    await second.sink.write(points(50, payload=Ais(msg_type=1, mmsi=1)))
    assert first.server.taken == second.server.taken
