"""Who a target is, put together from messages in any order: class B in parts, craft of a mother ship, other senders.

Each timeline is given to the picture in every order of arrival; the observation times stay as they are.
"""

from itertools import permutations

import pytest

from cloud_api.live import merging
from cloud_api.live.models import STATIC_FIELDS, Order, Origin, Target
from cloud_api.live.picture import LivePicture
from contracts.payloads import Ais, AisStation
from tests.support.cloud_observations import NOW_NS, STREAM, S, record

ORIGIN = Origin("demo", "gw-1", "ais")
B = AisStation.CLASS_B
MMSI = 224_000_001
CRAFT = 982_240_001
PART_A = Ais(msg_type=24, mmsi=MMSI, station=B, name="ALBA", other={"partno": 0})
PART_B = Ais(
    msg_type=24, mmsi=MMSI, station=B, callsign="EA1234", ship_type=37, to_bow_m=5, to_stern_m=7, to_port_m=1,
    to_starboard_m=3, other={"partno": 1},
)  # fmt: skip
REPORT = Ais(msg_type=18, mmsi=MMSI, station=B, lon_deg=-0.3, lat_deg=39.4, sog_kn=6.0)
EXTENDED = Ais(
    msg_type=19, mmsi=MMSI, station=B, lon_deg=-0.3, lat_deg=39.4, name="ALBA", ship_type=37, to_bow_m=5, to_stern_m=7
)


def merged(messages: list[tuple[Ais, int]]) -> Target:
    """Return the target of messages with their seconds."""
    picture = LivePicture()
    for ais, second in messages:
        at_ns = NOW_NS + second * S
        picture.observe_ais(ais, record(ais, at_ns, second + 1), ORIGIN, STREAM, NOW_NS + 60 * S)
    (target,) = picture.targets()
    return target


def in_every_order(*messages: Ais) -> list[Target]:
    """Return the target for each order of arrival; a message is observed a second after the one before it."""
    timed = [(ais, second) for second, ais in enumerate(messages)]
    return [merged(list(order)) for order in permutations(timed)]


def test_parts_a_and_b_and_a_position_are_one_class_b_ship_in_any_order() -> None:
    """OpenCPN#5408: a type 24 before the first 18 made a class A ship."""
    for target in in_every_order(PART_A, PART_B, REPORT):
        assert target.station is B
        assert target.position is not None
        assert target.static_values() == {
            "name": "ALBA", "callsign": "EA1234", "ship_type": 37, "to_bow_m": 5, "to_stern_m": 7, "to_port_m": 1,
            "to_starboard_m": 3,
        }  # fmt: skip


@pytest.mark.parametrize("part", [PART_A, PART_B])
def test_one_part_alone_is_class_b_before_any_position(part: Ais) -> None:
    target = merged([(part, 0)])
    assert (target.station, target.position) == (B, None)


def test_type_19_alone_is_a_whole_class_b_ship() -> None:
    target = merged([(EXTENDED, 0)])
    assert target.station is B
    assert target.position is not None
    assert target.static_values() == {"name": "ALBA", "ship_type": 37, "to_bow_m": 5, "to_stern_m": 7}


def test_a_long_range_report_leaves_a_class_b_ship_what_it_is() -> None:
    far = Ais(msg_type=27, mmsi=MMSI, station=AisStation.UNKNOWN, lon_deg=-0.3, lat_deg=39.4)
    for target in in_every_order(PART_A, far):
        assert target.station is B


def test_a_name_that_is_sent_empty_does_not_erase_the_known_one() -> None:
    nameless = Ais(msg_type=24, mmsi=MMSI, station=B, other={"partno": 0})
    for target in in_every_order(PART_A, nameless):
        assert target.static_values()["name"] == "ALBA"


def craft_part_b(mothership: object = MMSI) -> Ais:
    other = {"partno": 1, "mothership_mmsi": mothership}
    return Ais(msg_type=24, mmsi=CRAFT, mmsi_class="auxiliary_craft", callsign="TT1", ship_type=37, other=other)  # type: ignore[arg-type]


def test_a_craft_of_a_mother_ship_names_her_and_has_no_outline() -> None:
    part_a = Ais(msg_type=24, mmsi=CRAFT, mmsi_class="auxiliary_craft", name="TENDER", other={"partno": 0})
    report = Ais(msg_type=18, mmsi=CRAFT, mmsi_class="auxiliary_craft", lon_deg=-0.3, lat_deg=39.4)
    for target in in_every_order(part_a, craft_part_b(), report):
        assert target.station is AisStation.UNKNOWN
        assert target.static_values() == {
            "name": "TENDER", "callsign": "TT1", "ship_type": 37, "mothership_mmsi": MMSI,
        }  # fmt: skip


@pytest.mark.parametrize("claimed", [2**40, -1, 0, "GHOST", 1.5, None])
def test_a_mother_ship_that_is_no_mmsi_is_not_taken(claimed: object) -> None:
    assert "mothership_mmsi" not in merged([(craft_part_b(claimed), 0)]).static_values()


@pytest.mark.parametrize(
    ("mmsi", "station"),
    [
        (972_123_456, AisStation.SURVIVAL),
        (111_224_001, AisStation.SAR_AIRCRAFT),
        (992_240_001, AisStation.ATON),
        (822_400_100, AisStation.UNKNOWN),
    ],
)
def test_other_senders_stay_what_they_are_whatever_they_send(mmsi: int, station: AisStation) -> None:
    report = Ais(msg_type=1, mmsi=mmsi, station=station, lon_deg=-0.3, lat_deg=39.4)
    name = Ais(msg_type=24, mmsi=mmsi, station=station, name="TEST", other={"partno": 0})
    for target in in_every_order(report, name):
        assert target.station is station
        assert target.row is not None


def test_without_parts_being_registers_of_their_own_a_part_would_erase_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def take_all(target: Target, ais: Ais, order: Order) -> bool:
        target.static = {name: (order, getattr(ais, name, None) or "") for name in STATIC_FIELDS}
        return True

    monkeypatch.setattr(merging, "_merge_static", take_all)
    assert any(target.static_values()["name"] != "ALBA" for target in in_every_order(PART_A, PART_B, REPORT))
