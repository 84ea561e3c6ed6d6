"""The recording of a plotter's weather and depth, held against gpsd's own expected values, line by line."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contracts.payloads import Depth, GnssFix, Transducer, Wind
from edge_agent.parsers.nmea_decoder import Decoded, NmeaDecoder

LOG = "nmea/gpsd_weather_depth.log"
CHECKED = "nmea/gpsd_weather_depth.log.chk"
KINDS = ("MWV", "MWD", "MTW", "DPT", "DBT", "XDR")


def kind_of(line: str) -> str:
    return line[3:6]


def test_every_line_of_weather_and_water_is_a_record_or_a_counted_reject(recordings: Path) -> None:
    decoder = NmeaDecoder()
    lines, silent = Counter[str](), []
    for number, line in enumerate((recordings / LOG).read_text(encoding="utf-8").splitlines()):
        before = decoder.rejected.total()
        decoded = decoder.feed(line.encode() + b"\r\n", number)
        if kind_of(line) in KINDS:
            lines[kind_of(line)] += 1
            if not decoded and decoder.rejected.total() == before:
                silent.append(line)
    assert lines == {"MWV": 300, "MWD": 150, "MTW": 149, "DPT": 149, "DBT": 148, "XDR": 148}
    assert silent == []
    assert decoder.rejected == {"no_value": 149 + 2 * 148}


def test_every_quadruple_of_xdr_is_a_transducer_or_a_counted_reject(recordings: Path) -> None:
    decoder = NmeaDecoder()
    (line,) = [line for line in (recordings / LOG).read_bytes().splitlines() if line.startswith(b"$IIXDR")][:1]
    payloads = [item.payload for item in decoder.feed(line + b"\r\n", 0)]
    assert payloads == [
        Transducer(name=name, quantity="angle", value=value, unit="deg")
        for name, value in (("HEEL", -1.0), ("TRIM", 2.9), ("RUDDER", -3.9))
    ]
    assert decoder.rejected == {"no_value": 2}


class Latest:
    """What our decoder said last, under gpsd's names."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def take(self, line: str, item: Decoded) -> None:
        payload = item.payload
        if isinstance(payload, Depth):
            self.values["depth"] = payload.below_transducer_m
        elif isinstance(payload, GnssFix) and payload.lon_deg is not None:
            self.values |= {"lon": payload.lon_deg, "lat": payload.lat_deg}
            if payload.altitude_m is not None:
                self.values["altMSL"] = payload.altitude_m
        elif isinstance(payload, Wind):
            if kind_of(line) == "MWD":
                self.values |= {"wanglet": payload.direction_deg, "wspeedt": payload.speed_mps}
            elif line.split(",")[2] == "R":
                self.values |= {"wangler": payload.direction_deg, "wspeedr": payload.speed_mps}


TOLERANCES = {"depth": 0.0, "wanglet": 0.0, "wangler": 0.0, "wspeedt": 0.051, "wspeedr": 0.051, "altMSL": 0.0}
"""gpsd prints speeds with one decimal."""


def test_values_are_those_that_gpsd_expects(recordings: Path) -> None:
    """gpsd prints what it knows after some sentences; depth is the newest of DBT and DPT, as here."""
    decoder, latest, compared, wrong = NmeaDecoder(), Latest(), Counter[str](), []
    for number, line in enumerate((recordings / CHECKED).read_text(encoding="utf-8").splitlines()):
        if line.startswith("$"):
            for item in decoder.feed(line.encode() + b"\r\n", number):
                latest.take(line, item)
            continue
        expected = json.loads(line)
        for name in TOLERANCES.keys() & expected.keys():
            compared[name] += 1
            if abs(expected[name] - latest.values[name]) > TOLERANCES[name]:
                wrong.append((number, name, expected[name], latest.values[name]))
    assert wrong == []
    assert compared["depth"] == 898
    assert compared["wanglet"] == compared["wspeedt"] == 183
    assert compared["wangler"] == compared["wspeedr"] == 113


def test_positions_are_those_that_gpsd_expects(recordings: Path) -> None:
    """gpsd prints after GLL, which rounds its minutes down: a metre is ten of its last digits."""
    decoder, compared = NmeaDecoder(), 0
    place: GnssFix | None = None
    for number, line in enumerate((recordings / CHECKED).read_text(encoding="utf-8").splitlines()):
        if line.startswith("$"):
            for item in decoder.feed(line.encode() + b"\r\n", number):
                if isinstance(item.payload, GnssFix) and item.payload.lon_deg is not None:
                    place = item.payload if kind_of(line) == "GGA" else None
        elif place is not None and '"TPV"' in line:
            expected = json.loads(line)
            assert place.lon_deg == pytest.approx(expected["lon"], abs=1e-5)
            assert place.lat_deg == pytest.approx(expected["lat"], abs=1e-5)
            compared += 1
    assert compared > 130
