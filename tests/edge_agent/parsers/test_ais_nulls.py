"""No code of M.1371 that stands for "not available" ever becomes a value."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PeerError
from contracts.payloads import Ais, AisStation, Payload
from edge_agent.parsers import ais_fast
from edge_agent.parsers.ais import decode_ais
from edge_agent.parsers.ais_assembly import AisMessage
from tests.support.ais_messages import ALPHABET, armour, bits_of, decode_fields, decode_lines
from tests.support.nmea_lines import vdm

MMSI = 219018000
ROUND_TRIP = msgspec.json.Decoder(Payload)


def decode_bits(bits: str) -> Ais:
    payload, fill = armour(bits)
    return decode_ais(AisMessage(payload.encode(), fill, "AI", is_own=False, channel="A", raw="raw"))


def position_bits(**raw: int) -> str:
    """Return a type 1 with everything at its "not available" code, but for ``raw``."""
    codes = {
        "type": (1, 6), "repeat": (0, 2), "mmsi": (MMSI, 30), "status": (15, 4), "turn": (-128, 8), "speed": (1023, 10),
        "accuracy": (0, 1), "lon": (181 * 600000, 28), "lat": (91 * 600000, 27), "course": (3600, 12),
        "heading": (511, 9), "second": (60, 6), "maneuver": (0, 2), "spare": (0, 3), "raim": (0, 1), "radio": (0, 19),
    }  # fmt: skip
    return bits_of(*((raw.get(name, value), width) for name, (value, width) in codes.items()))


def test_a_position_report_without_any_value_is_a_sender_and_nulls() -> None:
    assert decode_bits(position_bits()) == Ais(
        msg_type=1,
        mmsi=MMSI,
        station=AisStation.CLASS_A,
        talker="AI",
        channel="A",
        is_position_accurate=False,
        other={"repeat": 0, "maneuver": None, "raim": False, "radio": 0},
    )


@pytest.mark.parametrize(
    ("raw", "field", "value"),
    [
        ({"speed": 1022}, "sog_kn", 102.2),
        ({"speed": 0}, "sog_kn", 0.0),
        ({"course": 3599}, "cog_deg", 359.9),
        ({"course": 3601}, "cog_deg", None),
        ({"course": 4095}, "cog_deg", None),
        ({"heading": 359}, "heading_deg", 359),
        ({"heading": 360}, "heading_deg", None),
        ({"turn": 0}, "rot_deg_min", 0.0),
        ({"turn": 126}, "rot_deg_min", 709.0),
        ({"turn": -126}, "rot_deg_min", -709.0),
        ({"turn": 127}, "rot_deg_min", None),
        ({"turn": -127}, "rot_deg_min", None),
        ({"status": 0}, "nav_status", 0),
        ({"status": 14}, "nav_status", 14),
        ({"second": 59}, "utc_second", 59),
        ({"second": 61}, "utc_second", None),
        ({"lon": 6_000_000}, "lon_deg", None),
        ({"lat": 6_000_000}, "lat_deg", None),
        ({"lon": 6_000_000, "lat": 3_000_000}, "lon_deg", 10.0),
        ({"lon": 180 * 600000 + 1, "lat": 0}, "lon_deg", None),
        ({"lon": -180 * 600000, "lat": -90 * 600000}, "lat_deg", -90.0),
    ],
)
def test_edges_of_a_position_report(raw: dict[str, int], field: str, value: object) -> None:
    assert getattr(decode_bits(position_bits(**raw)), field) == value


@pytest.mark.parametrize(("raw", "key", "value"), [
    ({"turn": 127}, "turning", "right"),
    ({"turn": -127}, "turning", "left"),
    ({"second": 61}, "position_mode", "manual"),
    ({"second": 62}, "position_mode", "dead_reckoning"),
    ({"second": 63}, "position_mode", "inoperative"),
    ({"maneuver": 2}, "maneuver", 2),
])  # fmt: skip
def test_what_a_code_says_beside_not_available_is_kept_in_words(raw: dict[str, int], key: str, value: object) -> None:
    assert decode_bits(position_bits(**raw)).other[key] == value


def test_without_the_nulls_a_ship_without_gnss_would_sail_at_102_knots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ais_fast, "_SOG", [raw / 10 for raw in range(1024)])
    assert decode_bits(position_bits()).sog_kn == 102.3


STATIC: dict[str, Any] = {
    "type": 5, "mmsi": MMSI, "imo": 0, "callsign": "", "shipname": "", "ship_type": 0, "to_bow": 0, "to_stern": 0,
    "to_port": 0, "to_starboard": 0, "epfd": 0, "month": 0, "day": 0, "hour": 24, "minute": 60, "draught": 0,
    "destination": "",
}  # fmt: skip


def test_a_static_report_without_any_value_is_a_sender_and_nulls() -> None:
    assert decode_fields(STATIC) == Ais(
        msg_type=5,
        mmsi=MMSI,
        station=AisStation.CLASS_A,
        talker="AI",
        channel="B",
        other={"repeat": 0, "ais_version": 0, "epfd": None, "dte": False},
    )


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({"imo": 9134270}, {"imo": 9134270}),
        ({"imo": 999_999}, {}),
        ({"draught": 25.5}, {"draught_m": 25.5}),
        ({"month": 5, "day": 15, "hour": 0, "minute": 0},
         {"eta_month": 5, "eta_day": 15, "eta_hour": 0, "eta_minute": 0}),
        ({"month": 13}, {}),
        ({"hour": 31, "minute": 63}, {}),
        ({"shipname": "EVER DIADEM", "callsign": "3FOF8"}, {"name": "EVER DIADEM", "callsign": "3FOF8"}),
        ({"shipname": "A@B"}, {"name": "A"}),
        ({"to_bow": 225, "to_stern": 70, "to_port": 1, "to_starboard": 31},
         {"to_bow_m": 225, "to_stern_m": 70, "to_port_m": 1, "to_starboard_m": 31}),
        ({"to_bow": 0, "to_stern": 70, "to_port": 1, "to_starboard": 0},
         {"to_bow_m": 0, "to_stern_m": 70, "to_port_m": 1, "to_starboard_m": 0}),
        ({"to_bow": 10, "to_stern": 20}, {"to_bow_m": 10, "to_stern_m": 20}),
    ],
)  # fmt: skip
def test_known_values_of_a_static_report(change: dict[str, Any], known: dict[str, Any]) -> None:
    empty = decode_fields(STATIC)
    assert decode_fields(STATIC | change) == msgspec.structs.replace(empty, **known)


def test_outline_without_reference_point_is_length_and_beam() -> None:
    ais = decode_fields(STATIC | {"to_stern": 295, "to_starboard": 32})
    assert (ais.to_bow_m, ais.to_stern_m, ais.to_port_m, ais.to_starboard_m) == (None,) * 4
    assert (ais.other["length_m"], ais.other["beam_m"]) == (295, 32)


def test_a_flag_states_own_number_is_no_imo_number() -> None:
    ais = decode_fields(STATIC | {"imo": 100_000_000})
    assert (ais.imo, ais.other["flag_state_number"]) == (None, 100_000_000)


@pytest.mark.parametrize("code", range(256))
def test_ship_types_are_the_codes_as_sent_and_only_those_of_the_table(code: int) -> None:
    """pyais renames what it has no name for: 38 becomes 0, 46 becomes 45."""
    ais = decode_bits(bits_of((5, 6), (0, 2), (MMSI, 30), (0, 194), (code, 8), (0, 184)))
    assert ais.ship_type == (code if 1 <= code <= 99 else None)


def test_a_number_cut_by_the_end_of_the_message_is_null_and_not_another_number() -> None:
    bits = position_bits(lon=6_000_000, lat=3_000_000, heading=300, course=900, speed=100)
    whole = decode_bits(bits)
    assert (whole.heading_deg, whole.cog_deg) == (300, 90.0)
    cut = decode_bits(bits[:132])
    assert (cut.sog_kn, cut.lon_deg, cut.lat_deg) == (10.0, 10.0, 5.0)
    assert (cut.cog_deg, cut.heading_deg, cut.utc_second, cut.other["radio"]) == (90.0, None, None, None)
    assert decode_bits(bits[:126]).cog_deg is None
    assert decode_bits(bits[:108]).lat_deg is None


def test_text_cut_by_the_end_of_the_message_keeps_its_whole_characters() -> None:
    payload, _ = armour(bits_of((24, 6), (0, 2), (MMSI, 30), (0, 2)) + "".join(f"{ord(c) - 64:06b}" for c in "CUTTER"))
    ais = decode_lines([vdm(payload[:-1], fill=3)])
    assert ais.name == "CUTT"


@pytest.mark.parametrize(
    ("payload", "fill", "reason"),
    [
        ("", 0, "ais_bad_payload"),
        ("13nUgBX[", 0, "ais_bad_payload"),
        ("13nUg\x7f", 0, "ais_bad_payload"),
        ("13nUg", 0, "ais_undecodable"),
        ("03nUgBWP01PkHvDU7<kC4wvJ2>`<", 0, "ais_undecodable"),
        ("M3nUgBWP01PkHvDU7<kC4wvJ2>`<", 0, "ais_undecodable"),
        ("H39H6tc", 0, "ais_undecodable"),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(payload: str, fill: int, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        decode_ais(AisMessage(payload.encode(), fill, "AI", is_own=False, channel=None, raw=payload))
    assert caught.value.reason == reason


@given(
    kind=st.sampled_from(ALPHABET[:32]),
    rest=st.text(alphabet=ALPHABET, max_size=180) | st.text(alphabet=ALPHABET, min_size=27, max_size=27),
    fill=st.integers(0, 5),
)
def test_any_payload_gives_a_message_within_its_ranges_or_one_error(kind: str, rest: str, fill: int) -> None:
    reason = ""
    try:
        ais = decode_ais(AisMessage((kind + rest).encode(), fill, "AI", is_own=False, channel="A", raw="raw"))
    except PeerError as exc:
        reason = exc.reason
    assert reason in ("", "ais_undecodable")
    if reason:
        return
    assert_plausible(ais)
    assert ROUND_TRIP.decode(msgspec.json.encode(ais)) == ais


def assert_plausible(ais: Ais) -> None:
    assert (ais.lon_deg is None) == (ais.lat_deg is None)
    ranges: dict[str, tuple[float, float]] = {
        "lon_deg": (-180, 180), "lat_deg": (-90, 90), "sog_kn": (0, 1022 if ais.msg_type == 9 else 102.2),
        "cog_deg": (0, 359.9), "heading_deg": (0, 359), "rot_deg_min": (-709, 709), "nav_status": (0, 14),
        "utc_second": (0, 59), "imo": (1_000_000, 9_999_999), "ship_type": (1, 99), "draught_m": (0.1, 25.5),
        "eta_month": (1, 12), "eta_day": (1, 31), "eta_hour": (0, 23), "eta_minute": (0, 59),
    }  # fmt: skip
    for name, (low, high) in ranges.items():
        value = getattr(ais, name)
        assert value is None or low <= value <= high, (name, value)
    for text in (ais.name, ais.callsign, ais.destination):
        assert text is None or ("@" not in text and text.strip())
    for name, value in ais.other.items():
        assert type(value) in (int, float, str, bool, type(None)), (name, value)
