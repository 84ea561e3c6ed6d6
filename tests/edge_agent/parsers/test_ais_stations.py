"""Messages of base stations, aircraft, aids to navigation, and messages inside messages: known values and nulls."""

from typing import Any

import msgspec
import pytest

from contracts.payloads import Ais, AisStation
from edge_agent.parsers.ais import READERS, decode_ais
from edge_agent.parsers.ais_assembly import AisMessage
from tests.support.ais_messages import armour, bits_of, decode_fields

MMSI = 2190068


def decode_bits(bits: str) -> Ais:
    payload, fill = armour(bits)
    return decode_ais(AisMessage(payload.encode(), fill, "AI", is_own=False, channel="A", raw="raw"))


def test_every_message_type_has_a_reader() -> None:
    assert set(READERS) == set(range(1, 29))


def test_a_base_station_without_clock_and_position() -> None:
    ais = decode_fields({"type": 4, "mmsi": MMSI, "year": 0, "month": 0, "day": 0, "hour": 24, "minute": 60,
                         "second": 60, "lon": 181, "lat": 91, "epfd": 0})  # fmt: skip
    assert (ais.lon_deg, ais.lat_deg, ais.utc_second, ais.station) == (None, None, None, AisStation.BASE)
    assert {ais.other[name] for name in ("year", "month", "day", "hour", "minute", "epfd")} == {None}


def test_a_base_station_with_clock_and_position() -> None:
    ais = decode_fields({"type": 4, "mmsi": MMSI, "year": 2026, "month": 11, "day": 24, "hour": 0, "minute": 59,
                         "second": 7, "lon": -5.4, "lat": 36.1, "epfd": 15})  # fmt: skip
    assert (ais.lon_deg, ais.lat_deg, ais.utc_second) == (-5.4, 36.1, 7)
    assert [ais.other[name] for name in ("year", "month", "day", "hour", "minute", "epfd")] == [2026, 11, 24, 0, 59, 15]


@pytest.mark.parametrize(
    ("speed", "alt", "sog_kn", "altitude"), [(1023, 4095, None, None), (1022, 4094, 1022, 4094), (0, 0, 0, 0)]
)
def test_an_aircraft(speed: int, alt: int, sog_kn: float | None, altitude: int | None) -> None:
    ais = decode_fields({"type": 9, "mmsi": 111219501, "speed": speed, "alt": alt, "course": 360, "second": 63})
    assert (ais.sog_kn, ais.other["alt"], ais.cog_deg) == (sog_kn, altitude, None)
    assert (ais.utc_second, ais.other["position_mode"]) == (None, "inoperative")


def test_a_long_range_report() -> None:
    empty = decode_fields(
        {"type": 27, "mmsi": 219018000, "lon": 181, "lat": 91, "speed": 63, "course": 511, "status": 15}
    )
    assert (empty.lon_deg, empty.lat_deg, empty.sog_kn, empty.cog_deg, empty.nav_status) == (None,) * 5
    known = decode_fields(
        {"type": 27, "mmsi": 219018000, "lon": -5.5, "lat": 36, "speed": 62, "course": 359, "status": 5}
    )
    assert (known.lon_deg, known.lat_deg, known.sog_kn, known.cog_deg, known.nav_status) == (-5.5, 36.0, 62.0, 359.0, 5)


@pytest.mark.parametrize(("second", "off_position"), [(10, True), (60, None), (61, None)])
def test_off_position_of_an_aid_counts_only_while_it_has_a_clock(second: int, off_position: bool | None) -> None:  # noqa: FBT001 - a value, not a switch
    ais = decode_fields({"type": 21, "mmsi": 992191234, "aid_type": 0, "name": "DROGDEN", "second": second,
                         "off_position": True, "lon": 12.7, "lat": 55.5})  # fmt: skip
    assert (ais.other["off_position"], ais.other["aid_type"], ais.name) == (off_position, None, "DROGDEN")


def aid(name: str, extension: str) -> str | None:
    def six(text: str) -> str:
        return "".join(f"{ord(char) & 63:06b}" for char in text)

    head = bits_of((21, 6), (0, 2), (992191234, 30), (9, 5))
    return decode_bits(head + six(name.ljust(20, "@")) + bits_of((0, 109)) + six(extension)).name


@pytest.mark.parametrize(
    ("name", "extension", "whole"),
    [
        ("ABCDEFGHIJKLMNOPQRST", "UVW", "ABCDEFGHIJKLMNOPQRSTUVW"),
        ("ABCDEFGHIJKLMNOPQRS ", "TWO", "ABCDEFGHIJKLMNOPQRS TWO"),
        ("AHAAHA ROCKS NORTH  ", ">S+>N", "AHAAHA ROCKS NORTH"),
        ("ABCDEFGHIJKLMNOPQRS", "TWO", "ABCDEFGHIJKLMNOPQRS"),
        ("SHORT", "TWO", "SHORT"),
        ("", "TWO", None),
    ],
)
def test_only_a_full_name_of_an_aid_has_an_extension(name: str, extension: str, whole: str | None) -> None:
    assert aid(name, extension) == whole


def test_corrections_have_a_position_in_degrees_and_their_data_as_hexadecimal() -> None:
    ais = decode_bits(bits_of((17, 6), (0, 2), (MMSI, 30), (0, 2), (6300, 18), (33600, 17), (0, 5), (0xABCD, 16)))
    assert (ais.lon_deg, ais.lat_deg, ais.other["data"]) == (10.5, 56.0, "abcd")
    empty = decode_bits(bits_of((17, 6), (0, 2), (MMSI, 30), (0, 2), (108600, 18), (54600, 17), (0, 5)))
    assert (empty.lon_deg, empty.lat_deg, empty.other["data"]) == (None, None, None)


def test_a_reservation_that_is_not_there_is_null() -> None:
    ais = decode_fields({"type": 20, "mmsi": MMSI, "offset1": 790, "number1": 5, "timeout1": 7, "increment1": 225})
    assert [ais.other[f"{name}1"] for name in ("offset", "number", "timeout", "increment")] == [790, 5, 7, 225]
    assert {ais.other[f"{name}{index}"] for name in ("offset", "number") for index in (2, 3, 4)} == {None}


def test_corners_of_an_area_are_in_degrees() -> None:
    corners = {"ne_lon": 6300, "ne_lat": 33600, "sw_lon": 10860, "sw_lat": 5460}
    for kind in (22, 23):
        ais = decode_fields({"type": kind, "mmsi": MMSI, **corners})
        assert (ais.other["ne_lon"], ais.other["sw_lon"], ais.other["sw_lat"]) == (None, None, None)
    ais = decode_fields({"type": 23, "mmsi": MMSI, "ne_lon": 630, "ne_lat": 3360, "sw_lon": 600, "sw_lat": 3300})
    assert [ais.other[name] for name in ("ne_lon", "ne_lat", "sw_lon", "sw_lat")] == [10.5, 56.0, 10.0, 55.0]


def test_second_acknowledged_station_that_is_not_there_is_null() -> None:
    ais = decode_fields({"type": 7, "mmsi": MMSI, "mmsi1": 219018000, "mmsiseq1": 1, "mmsi2": 0})
    assert (ais.other["mmsi1"], ais.other["mmsi2"]) == (219018000, None)


def test_data_of_an_unknown_application_is_hexadecimal() -> None:
    broadcast = decode_bits(bits_of((8, 6), (0, 2), (MMSI, 30), (0, 2), (367, 10), (23, 6), (0xBEEF, 16)))
    assert (broadcast.other["dac"], broadcast.other["fid"], broadcast.other["data"]) == (367, 23, "beef")
    addressed = decode_bits(
        bits_of((6, 6), (1, 2), (MMSI, 30), (2, 2), (219018000, 30), (1, 1), (0, 1), (235, 10), (10, 6), (0xBEEF, 16))
    )
    assert addressed.other == {
        "repeat": 1, "seqno": 2, "dest_mmsi": 219018000, "retransmit": True, "dac": 235, "fid": 10, "data": "beef",
    }  # fmt: skip


METEO_31 = [
    ("lon", 181 * 60000, 25), ("lat", 91 * 60000, 24), ("accuracy", 0, 1), ("day", 0, 5), ("hour", 24, 5),
    ("minute", 60, 6), ("wspeed", 127, 7), ("wgust", 127, 7), ("wdir", 360, 9), ("wgustdir", 360, 9),
    ("airtemp", -1024, 11), ("humidity", 101, 7), ("dewpoint", 501, 10), ("pressure", 511, 9), ("pressuretend", 3, 2),
    ("visgreater", 0, 1), ("visibility", 127, 7), ("waterlevel", 4001, 12), ("leveltrend", 3, 2), ("cspeed", 255, 8),
    ("cdir", 360, 9), ("cspeed2", 255, 8), ("cdir2", 360, 9), ("cdepth2", 31, 5), ("cspeed3", 255, 8),
    ("cdir3", 360, 9), ("cdepth3", 31, 5), ("waveheight", 255, 8), ("waveperiod", 63, 6), ("wavedir", 360, 9),
    ("swellheight", 255, 8), ("swellperiod", 63, 6), ("swelldir", 360, 9), ("seastate", 13, 4),
    ("watertemp", 501, 10), ("preciptype", 7, 3), ("salinity", 510, 9), ("ice", 3, 2), ("spare", 0, 10),
]  # fmt: skip


def meteo(**raw: int) -> Ais:
    head = bits_of((8, 6), (0, 2), (992509977, 30), (0, 2), (1, 10), (31, 6))
    return decode_bits(head + bits_of(*((raw.get(name, value), width) for name, value, width in METEO_31)))


def test_a_weather_station_without_any_value_shows_no_hurricane() -> None:
    """gpsd and pyais show 127 kn of wind, -102.4 °C and 1,310 hPa here."""
    other = meteo().other
    assert {name: value for name, value in other.items() if value is not None} == {"repeat": 0, "dac": 1, "fid": 31}
    assert {name for name, _, _ in METEO_31 if name != "spare"} <= set(other)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("wspeed", 25, 25), ("wdir", 359, 359), ("airtemp", -105, -10.5), ("humidity", 100, 100),
        ("pressure", 214, 1013), ("waterlevel", 1234, 2.34), ("visibility", 50, 5.0), ("watertemp", 121, 12.1),
        ("seastate", 12, 12), ("ice", 1, 1), ("salinity", 351, 35.1),
    ],
)  # fmt: skip
def test_known_values_of_a_weather_station(name: str, raw: int, value: float) -> None:
    assert meteo(**{name: raw}).other[name] == value


def test_an_inland_ship() -> None:
    known: dict[str, Any] = {"type": 8, "mmsi": 244660797, "dac": 200, "fid": 10, "vin": "02325170", "length": 110.0,
                             "beam": 11.4, "shiptype": 8010, "hazard": 5, "draught": 2.5, "loaded": 2}  # fmt: skip
    other = decode_fields(known).other
    assert [other[name] for name in ("vin", "length", "beam", "shiptype", "hazard", "draught", "loaded")] == [
        "02325170", 110.0, 11.4, 8010, None, 2.5, 2,
    ]  # fmt: skip


def test_a_message_shorter_than_its_application_says_is_passed_on_as_data() -> None:
    short = decode_bits(bits_of((8, 6), (0, 2), (MMSI, 30), (0, 2), (1, 10), (31, 6), (0, 64)))
    assert short.other["data"] == "00" * 8
    assert "wspeed" not in short.other


@pytest.mark.parametrize("kind", [10, 11, 12, 13, 14, 15, 16, 22, 25, 26, 28])
def test_link_management_becomes_plain_values(kind: int) -> None:
    ais = decode_bits(bits_of((kind, 6), (0, 2), (219018000, 30)) + "0" * 130)
    assert ais.msg_type == kind
    assert ais.other
    assert msgspec.json.decode(msgspec.json.encode(ais), type=Ais) == ais
