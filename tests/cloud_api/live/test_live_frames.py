"""Frames: folding every delta gives what a snapshot says, whatever happened in between and however far apart."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from cloud_api.accounting.models import Verdict
from cloud_api.live.frames import MAX_CACHED, FrameComposer
from cloud_api.live.models import Origin
from cloud_api.live.picture import REPLAY_NS, LivePicture
from cloud_api.live.ticked_map import TickedMap
from cloud_api.live.wire import FrameKind
from tests.support.cloud_observations import NOW_NS, STREAM, S, position, record, static, status, wind
from tests.support.live_wire import Frame, decode
from tests.support.standings import standing

EPOCH = 77


@dataclass
class Browser:
    """What a control room holds: it replaces on a snapshot and folds in a delta."""

    tick: int | None = None
    targets: dict[int, dict[str, Any]] = field(default_factory=dict)
    statics: dict[int, dict[str, Any]] = field(default_factory=dict)
    sensors: dict[str, dict[str, Any]] = field(default_factory=dict)
    gateways: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, frame: Frame) -> None:
        if frame.kind == "snapshot":
            self.__init__()  # type: ignore[misc] # a snapshot replaces everything, so begin as at the start
        for mmsi in frame.gone:
            self.targets.pop(mmsi, None)
            self.statics.pop(mmsi, None)
        for sensor in frame.gone_sensors:
            self.sensors.pop(sensor, None)
        self.targets.update({one["mmsi"]: one for one in frame.targets})
        self.statics.update({one["mmsi"]: one for one in frame.statics})
        self.sensors.update({one["id"]: one for one in frame.sensors})
        self.gateways.update({one["id"]: one for one in frame.gateways})
        self.tick = frame.tick

    def content(self) -> Any:
        """Everything but ages, which are of each frame's own time."""
        parts = (self.targets, self.statics, self.sensors, self.gateways)
        return [
            {key: {name: value for name, value in item.items() if name != "age_s"} for key, item in part.items()}
            for part in parts
        ]


class Folding(RuleBasedStateMachine):
    """One picture of small caps, one browser that asks now and then, one that takes a snapshot to compare with."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = LivePicture(max_targets=3)
        self.composer = FrameComposer(self.picture, EPOCH)
        self.browser = Browser()
        self.now_ns = NOW_NS
        self.seq = 0

    def _see(self, payload: Any) -> None:
        self.seq += 1
        origin = Origin("demo", "gw-1", "ais")
        self.picture.observe_ais(payload, record(payload, self.now_ns, self.seq), origin, STREAM, self.now_ns)

    @rule(mmsi=st.integers(1, 5), sog=st.sampled_from([0.0, 9.0, None]))
    def see_position(self, mmsi: int, sog: float | None) -> None:
        self._see(position(mmsi, sog_kn=sog))

    @rule(mmsi=st.integers(1, 5), name=st.sampled_from(["ONE", "TWO"]))
    def see_static(self, mmsi: int, name: str) -> None:
        self._see(static(mmsi, name=name))

    @rule(place=st.sampled_from(["mast-1", "mast-2"]), speed=st.sampled_from([1.0, 2.0]))
    def see_wind(self, place: str, speed: float) -> None:
        self.seq += 1
        taken = record(wind(speed), self.now_ns, self.seq, place=place)
        origin = Origin("demo", "gw-1", "mast")
        self.picture.observe_sensor("wind", wind(speed), taken, origin, STREAM, self.now_ns)

    @rule(gateway=st.sampled_from(["gw-1", "gw-2"]))
    def hear(self, gateway: str) -> None:
        self.picture.hear(status(gateway, self.now_ns), self.now_ns, 0.0)

    @rule(gateway=st.sampled_from(["gw-1", "gw-2"]), verdict=st.sampled_from(Verdict), received=st.integers(1, 9))
    def judge(self, gateway: str, verdict: Verdict, received: int) -> None:
        self.picture.tell_standing(standing(f"demo/{gateway}", verdict, received=received))

    @rule(seconds=st.sampled_from([1, 15, 61, 1300, 90_000, 700_000]))
    def let_time_pass(self, seconds: int) -> None:
        self.now_ns += seconds * S
        self.picture.review(self.now_ns)

    @rule()
    def close_tick(self) -> None:
        self.picture.advance(self.now_ns)

    @rule()
    def ask(self) -> None:
        if self.browser.tick is None or self.picture.tick > self.browser.tick:
            frame, _ = self.composer.compose(self.browser.tick, self.now_ns)
            self.browser.take(decode(frame))

    def teardown(self) -> None:
        self.picture.review(self.now_ns)
        self.picture.advance(self.now_ns)
        self.ask()
        fresh = Browser()
        fresh.take(decode(self.composer.compose(None, self.now_ns)[0]))
        assert self.browser.content() == fresh.content()


FEW = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_folded_deltas_are_the_snapshot() -> None:
    run_state_machine_as_test(Folding, settings=FEW)


def test_without_tombstones_folded_deltas_are_not_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TickedMap, "gone_since", lambda _self, _tick: [])
    # found is enough: the smallest example would take seconds more
    found = settings(FEW, phases=[Phase.generate], derandomize=True)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Folding, settings=found)


def test_a_target_that_left_and_came_back_keeps_nothing_of_what_it_was() -> None:
    picture = LivePicture(max_targets=1)
    composer = FrameComposer(picture, EPOCH)
    origin = Origin("demo", "gw-1", "ais")
    browser = Browser()

    def see(seq: int, ais: Any) -> None:
        picture.observe_ais(ais, record(ais, NOW_NS + seq, seq), origin, STREAM, NOW_NS)

    see(1, position(1))
    browser.take(decode(composer.compose(None, NOW_NS)[0]))
    picture.advance(0)
    see(2, position(2))
    see(3, static(1))
    picture.advance(1)
    browser.take(decode(composer.compose(browser.tick, NOW_NS)[0]))
    assert browser.targets == {}
    assert list(browser.statics) == [1]


def test_clients_at_one_tick_share_one_frame_and_stragglers_are_not_kept() -> None:
    picture = LivePicture()
    composer = FrameComposer(picture, EPOCH)
    for _ in range(MAX_CACHED + 10):
        picture.advance(0)
    first, _ = composer.compose(MAX_CACHED, NOW_NS)
    assert composer.compose(MAX_CACHED, NOW_NS + S)[0] is first
    for since in range(1, MAX_CACHED + 10):
        composer.compose(since, NOW_NS)
    assert len(composer._cache) == MAX_CACHED
    picture.advance(0)
    assert composer.compose(MAX_CACHED, NOW_NS)[0] is not first


def test_a_reader_a_minute_behind_is_given_a_snapshot() -> None:
    picture = LivePicture()
    composer = FrameComposer(picture, EPOCH)
    tick = picture.advance(0)
    assert composer.compose(tick, NOW_NS)[1] is FrameKind.DELTA
    picture.advance(REPLAY_NS + 1)
    assert composer.compose(tick, NOW_NS)[1] is FrameKind.SNAPSHOT


def test_static_data_are_sent_when_they_change_and_not_with_every_position() -> None:
    picture = LivePicture()
    composer = FrameComposer(picture, EPOCH)
    origin = Origin("demo", "gw-1", "ais")
    for seq, payload in enumerate([static(), position()]):
        picture.observe_ais(payload, record(payload, NOW_NS, seq), origin, STREAM, NOW_NS)
    tick = picture.advance(0)
    moved = position(lon_deg=-0.30)
    picture.observe_ais(moved, record(moved, NOW_NS + S, 3), origin, STREAM, NOW_NS + S)
    picture.advance(1)
    frame = decode(composer.compose(tick, NOW_NS + S)[0])
    assert len(frame.targets) == 1
    assert frame.statics == []
