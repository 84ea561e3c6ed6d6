from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyais import NMEAMessage, decode

from contracts.payloads import Ais, AisStation
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from edge_agent.simulation.ais_messages import (
    Receiver,
    aid_report,
    antenna,
    base_report,
    position_report,
    static_reports,
)
from edge_agent.simulation.fleet import ShipSpec
from edge_agent.simulation.geometry import Point
from edge_agent.simulation.motion import Motion
from tests.support.demo_port import EPOCH_S, demo_fleet

SHIPS = demo_fleet().ships
CLASS_A = next(ship for ship in SHIPS if ship.ais == "a")
CLASS_B = next(ship for ship in SHIPS if ship.ais == "b")
HERE = (-0.2101234, 39.6345678)


def read(lines: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = decode(*[line.strip() for line in lines]).asdict()
    return fields


def test_a_class_a_position_is_read_back_as_it_was() -> None:
    motion = Motion(Point(0, 0), 314.4, velocity_x_mps=-1.5, velocity_y_mps=1.5, turn_deg_s=-0.2)
    fields = read(Receiver().sentences(position_report(CLASS_A, motion, HERE, 5, 0.0, EPOCH_S + 17.9)))
    assert fields["msg_type"] == 1
    assert (fields["mmsi"], fields["status"], fields["second"]) == (CLASS_A.mmsi, 5, 17)
    assert (fields["lon"], fields["lat"]) == pytest.approx(HERE, abs=2e-6)
    assert (fields["speed"], fields["course"], fields["heading"]) == (4.1, 315.0, 314)
    assert fields["turn"] == pytest.approx(-12, abs=1)


@given(st.floats(0, 359.999), st.floats(0, 25), st.floats(-6, 6), st.floats(-180, 180))
def test_any_motion_is_within_what_the_message_can_say(
    heading: float, speed: float, turn: float, offset: float
) -> None:
    motion = Motion(Point(0, 0), heading, velocity_y_mps=speed, turn_deg_s=turn)
    for ship in (CLASS_A, CLASS_B):
        fields = read(Receiver().sentences(position_report(ship, motion, HERE, 0, offset, EPOCH_S)))
        assert 0 <= fields["heading"] <= 359
        assert 0 <= fields["course"] < 360
        assert fields["speed"] == pytest.approx(min(motion.sog_kn, 102.2), abs=0.051)


@given(st.integers(0, 1022))
def test_a_tenth_of_a_knot_is_never_cut(tenths: int) -> None:
    """pyais cuts below the tenth: 2.9 kn must not become 2.8."""
    motion = Motion(Point(0, 0), 0.0, velocity_y_mps=tenths / 10 * 1852 / 3600)
    fields = read(Receiver().sentences(position_report(CLASS_B, motion, HERE, 0, 0.0, EPOCH_S)))
    assert fields["speed"] == pytest.approx(tenths / 10)


def test_static_data_of_class_a_come_in_two_parts_and_are_read_back() -> None:
    (message,) = static_reports(CLASS_A, EPOCH_S)
    lines = Receiver().sentences(message)
    assert len(lines) == 2
    fields = read(lines)
    assert (fields["shipname"], fields["callsign"], fields["imo"]) == (CLASS_A.name, CLASS_A.callsign, CLASS_A.imo)
    assert fields["to_bow"] + fields["to_stern"] == CLASS_A.length_m
    assert fields["to_port"] + fields["to_starboard"] == CLASS_A.beam_m
    assert fields["draught"] == pytest.approx(CLASS_A.draught_m)
    assert (fields["month"], fields["day"], fields["hour"], fields["minute"]) == (1, 15, 8, 0)


def test_static_data_of_class_b_come_in_parts_a_and_b() -> None:
    receiver = Receiver()
    part_a, part_b = (read(receiver.sentences(message)) for message in static_reports(CLASS_B, EPOCH_S))
    assert (part_a["partno"], part_a["shipname"]) == (0, CLASS_B.name)
    assert (part_b["partno"], part_b["callsign"], part_b["ship_type"]) == (1, CLASS_B.callsign, CLASS_B.ship_type)


@pytest.mark.parametrize("ship", SHIPS, ids=lambda ship: ship.name)
def test_our_own_decoder_reads_every_ship(ship: ShipSpec) -> None:
    receiver, decoder = Receiver(), NmeaDecoder()
    reports = [position_report(ship, Motion(Point(0, 0), 90.0), HERE, 0, 0.0, EPOCH_S), *static_reports(ship, EPOCH_S)]
    lines = "".join(line for report in reports for line in receiver.sentences(report))
    payloads = [decoded.payload for decoded in [*decoder.feed(lines.encode(), 0), *decoder.close(0)]]
    assert not decoder.rejected
    assert len(payloads) == len(reports)
    assert all(isinstance(payload, Ais) and payload.mmsi == ship.mmsi for payload in payloads)
    stations = {payload.station for payload in payloads if isinstance(payload, Ais)}
    assert stations == {AisStation.CLASS_A if ship.ais == "a" else AisStation.CLASS_B}


def test_base_station_and_aid_are_what_they_say() -> None:
    fleet = demo_fleet()
    base = read(Receiver().sentences(base_report(fleet.base_station, HERE, EPOCH_S)))
    assert (base["msg_type"], base["year"], base["month"], base["day"]) == (4, 2027, 1, 15)
    aid = read(Receiver().sentences(aid_report(fleet.aids[0], EPOCH_S)))
    assert (aid["msg_type"], aid["mmsi"], aid["name"]) == (21, fleet.aids[0].mmsi, "RECALADA ZZZ")


def test_sentences_are_vdm_on_alternating_channels_with_counted_sequences() -> None:
    receiver = Receiver()
    (static,) = static_reports(CLASS_A, EPOCH_S)
    lines = [line for _ in range(12) for line in receiver.sentences(static)]
    parsed = [NMEAMessage(line.strip().encode()) for line in lines]
    assert all(line.startswith("!AIVDM,2,") and line.endswith("\r\n") for line in lines)
    assert all(len(line) <= 82 for line in lines)
    assert all(message.is_valid for message in parsed)
    sequences = [message.seq_id for message in parsed[::2]]
    assert sequences == [number % 10 for number in range(12)]
    assert [message.channel for message in parsed[::2]] == list("ABABABABABAB")


def test_the_antenna_is_where_the_dimensions_put_it() -> None:
    """Motion is of the middle of the hull; the position sent is the antenna's."""
    ship = CLASS_A.model_copy(update={"length_m": 300, "bow_share": 0.8})
    assert antenna(ship, Motion(Point(0, 0), 0.0)) == pytest.approx((0, -90))
    assert antenna(ship, Motion(Point(10, 0), 90.0)) == pytest.approx((-80, 0))
