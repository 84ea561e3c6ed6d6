"""Vessels: which targets are vessels, how they are described, and tracks."""

import pytest

from cloud_api.history.models import TrackPoint
from cloud_api.live.models import Origin
from cloud_api.live.picture import LivePicture
from cloud_api.vessels.models import TrackQuery, VesselQuery
from cloud_api.vessels.service import VesselService, describe_vessel
from cloud_api.web.problems import ProblemError
from contracts.payloads import Ais, AisStation
from tests.support.cloud_observations import NOW_NS, STREAM, S, position, record, static
from tests.support.history_shelf import HistoryShelf

SHIP = 224_000_000


class Slice:
    """The slice over a picture and a history that the test fills."""

    def __init__(self) -> None:
        self.picture = LivePicture()
        self.history = HistoryShelf()
        self.service = VesselService(self.picture, self.history, lambda: NOW_NS)

    def see(self, ais: Ais, at_ns: int = NOW_NS) -> None:
        self.picture.observe_ais(ais, record(ais, at_ns), Origin("demo", "gw-1", "ais"), STREAM, NOW_NS)

    def listed(self, **query: object) -> list[int]:
        return [target.mmsi for target in self.service.select(VesselQuery.model_validate(query))]


@pytest.fixture
def vessels() -> Slice:
    return Slice()


def test_only_ships_are_listed(vessels: Slice) -> None:
    for mmsi, station in enumerate(AisStation, start=SHIP):
        vessels.see(position(mmsi, station=station))
    kinds = {target.station for target in vessels.service.select(VesselQuery())}
    assert kinds == {AisStation.CLASS_A, AisStation.CLASS_B, AisStation.UNKNOWN}
    base = list(AisStation).index(AisStation.BASE) + SHIP
    with pytest.raises(ProblemError, match="no vessel"):
        vessels.service.find(base)
    with pytest.raises(ProblemError) as info:
        vessels.service.find(999)
    assert info.value.status == 404


@pytest.mark.parametrize(
    ("mmsi", "station", "form"),
    [
        (821901800, AisStation.UNKNOWN, "handheld"),
        (982190180, AisStation.UNKNOWN, "auxiliary_craft"),
        (900123, AisStation.UNKNOWN, "illegal"),
        (972123456, AisStation.SURVIVAL, "mob"),
        (970123456, AisStation.SURVIVAL, "sart"),
        (974123456, AisStation.SURVIVAL, "epirb"),
        (111219501, AisStation.SAR_AIRCRAFT, "sar_aircraft"),
    ],
)
def test_other_senders_are_labelled_and_in_no_list(vessels: Slice, mmsi: int, station: AisStation, form: str) -> None:
    vessels.see(position(mmsi, station=station))
    assert vessels.listed() == []
    vessel = describe_vessel(vessels.service.find(mmsi), NOW_NS)
    assert (vessel.mmsi_class, vessel.station) == (form, station.value)


def test_a_vessel_known_by_its_static_data_alone_is_listed_without_position(vessels: Slice) -> None:
    vessels.see(static(5), NOW_NS - 10 * S)
    vessel = describe_vessel(vessels.service.find(5), NOW_NS)
    assert (vessel.lon_deg, vessel.age_s, vessel.name, vessel.is_stale) == (None, 10.0, "CABO DE PEÑAS", False)


def test_moving_box_and_limit_select(vessels: Slice) -> None:
    vessels.see(position(1, sog_kn=0.4, lon_deg=0.0, lat_deg=0.0))
    vessels.see(position(2, sog_kn=0.5, lon_deg=1.0, lat_deg=1.0))
    vessels.see(position(3, sog_kn=None, lon_deg=2.0, lat_deg=2.0))
    vessels.see(static(4))
    assert vessels.listed() == [4, 3, 2, 1]
    assert vessels.listed(moving="true") == [2]
    assert vessels.listed(moving="false") == [4, 3, 1]
    assert vessels.listed(bbox="0,0,1,1") == [2, 1]
    assert vessels.listed(limit="2") == [4, 3]


def test_age_and_staleness_are_of_the_time_of_the_answer(vessels: Slice) -> None:
    vessels.see(position(1))
    target = vessels.service.find(1)
    assert not describe_vessel(target, NOW_NS + 60 * S).is_stale
    assert describe_vessel(target, NOW_NS + 60 * S + 1).is_stale
    assert describe_vessel(target, NOW_NS - S).age_s == 0


def point(age_s: int) -> TrackPoint:
    return TrackPoint(NOW_NS - age_s * S, -0.3, 39.4, 5.0, None, None)


async def test_a_track_is_the_last_hour_by_default_and_keeps_the_newest(vessels: Slice) -> None:
    vessels.history.points[1] = [point(age_s) for age_s in (3601, 3600, 20, 10, 0)]
    track = await vessels.service.track(1, TrackQuery())
    assert len(track.geometry.coordinates) == len(track.properties.times) == 4
    assert track.properties.to == "2026-11-24T03:00:00.000Z"
    cut = await vessels.service.track(1, TrackQuery.model_validate({"max_points": "2"}))
    assert cut.properties.times == ["2026-11-24T02:59:50.000Z", "2026-11-24T03:00:00.000Z"]
    assert cut.properties.is_truncated
    assert not track.properties.is_truncated


async def test_a_track_that_begins_after_now_or_a_day_ago_without_end_is_refused(vessels: Slice) -> None:
    for begin in ("2026-11-24T03:00:01Z", "2026-11-23T02:59:59Z"):
        with pytest.raises(ProblemError) as info:
            await vessels.service.track(1, TrackQuery.model_validate({"from": begin}))
        assert info.value.status == 400
