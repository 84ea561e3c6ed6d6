"""Weather in one sentence, transducers of anything, and the water's temperature and stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PeerError
from contracts.payloads import Payload, Transducer, WaterSpeed, Weather, Wind
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from edge_agent.parsers.readings import Readings
from edge_agent.parsers.rejects import REASONS
from edge_agent.parsers.water import parse_mtw, parse_vhw
from edge_agent.parsers.weather import parse_mda, parse_xdr
from tests.support.sentences import sentence


def fields(text: str) -> list[bytes]:
    return text.encode().split(b",")


def reasons(readings: Readings) -> list[str]:
    return [fault.reason for fault in readings.faults]


def test_mda_is_weather_and_wind() -> None:
    text = "WIMDA,29.92,I,1.0132,B,21.5,C,18.2,C,64.0,,14.4,C,95.0,T,94.0,M,13.0,N,6.7,M"
    assert parse_mda(fields(text)) == Readings(
        [
            Weather(air_temperature_c=21.5, humidity_pct=64.0, pressure_hpa=1013.2, water_temperature_c=18.2,
                    dew_point_c=14.4),
            Wind(speed_mps=6.7, direction_deg=95.0),
        ],
        [],
    )  # fmt: skip


def test_mda_in_inches_of_mercury_alone() -> None:
    assert parse_mda(fields("WIMDA,29.92,I,,B,,C,,C,,,,C,,T,,M,,N,,M")).payloads == [Weather(pressure_hpa=1013.21)]


@pytest.mark.parametrize(
    ("text", "kept", "faults"),
    [
        ("WIMDA,,I,,B,,C,,C,,,,C,,T,,M,,N,,M", [], ["no_value"]),
        ("WIMDA", [], ["no_value"]),
        ("WIMDA,,I,2.5,B,21.5,C,,C,,,,C,95.0,T,,M,,N,6.7,M", [Wind], ["out_of_range"]),
        ("WIMDA,,I,1.0132,B,21.5,F,,C,,,,C,95.0,T,,M,,N,6.7,M", [Wind], ["bad_field"]),
        ("WIMDA,,I,1.0132,B,21.5,C,,C,,,,C,400.0,T,,M,,N,6.7,M", [Weather], ["out_of_range"]),
    ],
)
def test_what_is_wrong_with_one_half_of_mda_never_takes_the_other(
    text: str, kept: list[type[Payload]], faults: list[str]
) -> None:
    readings = parse_mda(fields(text))
    assert [type(payload) for payload in readings.payloads] == kept
    assert reasons(readings) == faults


def test_values_of_one_xdr_that_are_weather_are_one_weather() -> None:
    text = "WIXDR,C,21.5,C,AIRTEMP,P,1.0132,B,BARO,H,64.0,P,HUMIDITY,C,18.2,C,WATER_TEMP,C,83.0,C,ENGINE#1"
    assert parse_xdr(fields(text)) == Readings(
        [
            Weather(air_temperature_c=21.5, pressure_hpa=1013.2, humidity_pct=64.0, water_temperature_c=18.2),
            Transducer(name="ENGINE#1", quantity="temperature", value=83.0, unit="°C"),
        ],
        [],
    )


@pytest.mark.parametrize(
    ("quadruple", "quantity", "value", "unit"),
    [
        ("A,-3.9,D,RUDDER", "angle", -3.9, "deg"),
        ("B,0.012,K,X", "absolute_humidity", 12.0, "g/m³"),
        ("C,300.15,K,EXHAUST", "temperature", 27.0, "°C"),
        ("D,1.25,M,DOOR", "linear", 1.25, "m"),
        ("F,50.0,H,MAINS", "frequency", 50.0, "Hz"),
        ("G,7,,X", "generic", 7.0, ""),
        ("H,55,P,CABINET", "humidity", 55.0, "%"),
        ("I,2.5,A,LOAD", "current", 2.5, "A"),
        ("L,38.1,S,SEA", "salinity", 38.1, "ppt"),
        ("N,1200,N,HOOK", "force", 1200.0, "N"),
        ("P,250000,P,HYDRAULIC", "pressure", 2500.0, "hPa"),
        ("R,3.5,L,PUMP", "flow", 3.5, "l/s"),
        ("S,1,,DOOR", "switch", 1.0, ""),
        ("T,1500,R,ENGINE", "tachometer", 1500.0, "rpm"),
        ("U,24.1,V,BATTERY", "voltage", 24.1, "V"),
        ("V,1.2,M,TANK", "volume", 1.2, "m³"),
    ],
)
def test_every_transducer_type_has_its_quantity_and_one_unit(
    quadruple: str, quantity: str, value: float, unit: str
) -> None:
    name = quadruple.rpartition(",")[2]
    assert parse_xdr(fields(f"IIXDR,{quadruple}")) == Readings(
        [Transducer(name=name, quantity=quantity, value=value, unit=unit)], []
    )


def test_two_thermometers_are_never_mixed() -> None:
    readings = parse_xdr(fields("IIXDR,C,20.0,C,AIR,C,25.0,C,AIRTEMP"))
    assert readings.payloads == [
        Weather(air_temperature_c=20.0), Transducer(name="AIRTEMP", quantity="temperature", value=25.0, unit="°C"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("IIXDR", ["bad_field"]),
        ("IIXDR,C,,C,AIRTEMP", ["no_value"]),
        ("IIXDR,C,C,10.7,C,AIRTEMP,A,0.5,D", ["bad_field", "bad_field"]),
        ("IIXDR,C,20,F,AIRTEMP", ["bad_field"]),
        ("IIXDR,Z,20,C,AIRTEMP", ["bad_field"]),
        ("IIXDR,C,20,C", ["bad_field"]),
        ("IIXDR,C,99,C,AIRTEMP", ["out_of_range"]),
        ("IIXDR,P,0.5,B,BARO", ["out_of_range"]),
        ("IIXDR,A,-1.-4,D,HEEL", ["bad_field"]),
    ],
)
def test_a_quadruple_that_says_nothing_or_nonsense_has_its_reason(text: str, faults: list[str]) -> None:
    readings = parse_xdr(fields(text))
    assert readings.payloads == []
    assert reasons(readings) == faults


def test_water() -> None:
    assert parse_mtw(fields("SDMTW,18.2,C")) == Weather(water_temperature_c=18.2)
    assert parse_vhw(fields("SDVHW,231.3,T,229.9,M,6.6,N,12.3,K")) == WaterSpeed(speed_kn=6.6, heading_deg=231.3)
    assert parse_vhw(fields("SDVHW,,T,229.9,M,,N,12.3,K")) == WaterSpeed(speed_kn=6.641)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SDMTW,,C", "no_value"),
        ("SDMTW,18.2,F", "bad_field"),
        ("SDMTW,60.0,C", "out_of_range"),
        ("SDVHW,,T,229.9,M,,N,,K", "no_value"),
        ("SDVHW,361,T,229.9,M,6.6,N,,K", "out_of_range"),
        ("SDVHW,231,T,,M,6.6,X,,K", "bad_field"),
    ],
)
def test_water_that_says_nothing_or_nonsense_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        (parse_mtw if "MTW" in text else parse_vhw)(fields(text))
    assert caught.value.reason == reason


CELLS = st.one_of(
    st.sampled_from(["", "C", "P", "H", "A", "B", "I", "M", "N", "T", "K", "20.5", "-1", "1.0132", "AIRTEMP", "BARO"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="$!*\\,"), max_size=8),
)


@given(st.sampled_from(["MDA", "XDR", "MTW", "VHW"]), st.lists(CELLS, max_size=24))
def test_any_fields_are_a_record_or_a_counted_reject(kind: str, cells: list[str]) -> None:
    decoder = NmeaDecoder()
    decoded = decoder.feed(sentence(",".join([f"WI{kind}", *cells])), 0)
    assert decoded or decoder.rejected.total()
    assert set(decoder.rejected) <= set(REASONS)
