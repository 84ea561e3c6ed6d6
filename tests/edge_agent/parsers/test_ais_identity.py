"""What pyais encodes from a ship's values is decoded to the same values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payloads import AisStation
from tests.support.ais_messages import decode_fields

TEXT = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -./", max_size=20).map(str.strip)
SHIPS = st.integers(201_000_000, 775_999_999)
POSITIONS: dict[str, st.SearchStrategy[Any]] = {
    "mmsi": SHIPS,
    "speed": st.integers(0, 1022).map(lambda raw: raw / 10),
    "lon": st.integers(-108_000_000, 108_000_000).map(lambda raw: round(raw / 600_000, 6)),
    "lat": st.integers(-54_000_000, 54_000_000).map(lambda raw: round(raw / 600_000, 6)),
    "course": st.integers(0, 3599).map(lambda raw: raw / 10),
    "heading": st.integers(0, 359),
    "second": st.integers(0, 59),
    "accuracy": st.booleans(),
}
OUTLINE: dict[str, st.SearchStrategy[Any]] = {
    "to_bow": st.integers(1, 511),
    "to_stern": st.integers(0, 511),
    "to_port": st.integers(1, 63),
    "to_starboard": st.integers(0, 63),
}
NAMES = {
    "speed": "sog_kn", "lon": "lon_deg", "lat": "lat_deg", "course": "cog_deg", "heading": "heading_deg",
    "second": "utc_second", "accuracy": "is_position_accurate", "status": "nav_status", "shipname": "name",
    "draught": "draught_m", "to_bow": "to_bow_m", "to_stern": "to_stern_m", "to_port": "to_port_m",
    "to_starboard": "to_starboard_m", "month": "eta_month", "day": "eta_day", "hour": "eta_hour",
    "minute": "eta_minute",
}  # fmt: skip


def assert_same(fields: dict[str, Any], msg_type: int, station: AisStation) -> None:
    ais = decode_fields({"type": msg_type, **fields})
    assert (ais.msg_type, ais.station, ais.channel) == (msg_type, station, "B")
    for name, sent in fields.items():
        received = getattr(ais, NAMES.get(name, name))
        if isinstance(sent, float):
            # pyais truncates where it should round: one step of the field
            assert received == pytest.approx(sent, abs=0.1001 if name in ("speed", "course", "draught") else 2e-6)
        else:
            assert received == (sent if sent != "" else None), name


@given(st.fixed_dictionaries(POSITIONS | {"status": st.integers(0, 14)}), st.sampled_from([1, 2, 3]))
def test_class_a_positions(fields: dict[str, Any], msg_type: int) -> None:
    assert_same(fields, msg_type, AisStation.CLASS_A)


@given(st.fixed_dictionaries(POSITIONS))
def test_class_b_positions(fields: dict[str, Any]) -> None:
    assert_same(fields, 18, AisStation.CLASS_B)


@given(st.fixed_dictionaries(POSITIONS | OUTLINE | {"shipname": TEXT, "ship_type": st.integers(20, 99)}))
def test_class_b_extended_positions(fields: dict[str, Any]) -> None:
    fields["ship_type"] = fields["ship_type"] // 10 * 10
    assert_same(fields, 19, AisStation.CLASS_B)


STATIC: dict[str, st.SearchStrategy[Any]] = OUTLINE | {
    "mmsi": SHIPS,
    "imo": st.integers(1_000_000, 9_999_999),
    "callsign": TEXT.map(lambda text: text[:7].strip()),
    "shipname": TEXT,
    "destination": TEXT,
    "ship_type": st.sampled_from([30, 36, 52, 60, 70, 80, 89, 99]),
    "month": st.integers(1, 12),
    "day": st.integers(1, 31),
    "hour": st.integers(0, 23),
    "minute": st.integers(0, 59),
    "draught": st.integers(1, 255).map(lambda raw: raw / 10),
}


@given(st.fixed_dictionaries(STATIC))
def test_class_a_static_data(fields: dict[str, Any]) -> None:
    assert_same(fields, 5, AisStation.CLASS_A)


@given(mmsi=SHIPS, name=TEXT)
def test_class_b_static_data_part_a(mmsi: int, name: str) -> None:
    ais = decode_fields({"type": 24, "mmsi": mmsi, "partno": 0, "shipname": name})
    assert (ais.mmsi, ais.name, ais.station, ais.other["partno"]) == (mmsi, name or None, AisStation.CLASS_B, 0)


@given(st.fixed_dictionaries(OUTLINE | {"mmsi": SHIPS, "ship_type": st.integers(1, 99)}))
def test_class_b_static_data_part_b(fields: dict[str, Any]) -> None:
    ais = decode_fields({"type": 24, "partno": 1, "callsign": "OU1234", "vendorid": "SRT", **fields})
    assert (ais.callsign, ais.ship_type, ais.other["vendorid"]) == ("OU1234", fields["ship_type"], "SRT")
    outline = (ais.to_bow_m, ais.to_stern_m, ais.to_port_m, ais.to_starboard_m)
    assert outline == tuple(fields[name] for name in OUTLINE)


def test_a_craft_of_a_mother_ship_names_her_and_has_no_outline() -> None:
    ais = decode_fields({"type": 24, "partno": 1, "mmsi": 982190180, "callsign": "BOAT", "mothership_mmsi": 219018000})
    assert ais.other["mothership_mmsi"] == 219018000
    assert ais.to_bow_m is None


def test_own_ship_is_told_by_vdo() -> None:
    fields = {"type": 1, "mmsi": 219018000}
    assert decode_fields(fields, "VDO").is_own
    assert not decode_fields(fields, "VDM").is_own
