"""Every recording against pyais's reading and gpsd's stored one, field by field; what differs is named, else it fails.

gpsd itself is run in tests/system/edge_agent/test_ais_gpsdecode.py.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyais import FileReaderStream
from pyais import messages as pyais

from contracts.payloads import Ais
from tests.support.ais_comparison import CUT, Comparison, Difference, gpsd_fields, gpsd_messages, ours, pair
from tests.support.ais_known_differences import GPSD, GPSD_TALKERS, PYAIS, Rule, known_by, sort_out

FILES = (
    "denmark_national.nmea",
    "gpsd_sample.aivdm",
    "gpsd_type6_fid55.log",
    "signalk_gofree_malformed.log",
    "signalk_nais400.log",
)
STORED = {"gpsd_sample.aivdm": "gpsd_sample.aivdm.ju.chk", "gpsd_type6_fid55.log": "gpsd_type6_fid55.log.chk"}


def pyais_messages(path: Path) -> Iterator[dict[str, Any]]:
    with FileReaderStream(str(path)) as stream:
        for sentence in stream:
            decoded = sentence.decode()
            yield {"type": decoded.msg_type, "mmsi": decoded.mmsi, "decoded": decoded, "bits": sentence.bv}


def pyais_fields(message: dict[str, Any]) -> dict[str, Any]:
    """Return what pyais reads: numbers as sent, text, data; under ``CUT`` the numbers that the message ends in."""
    decoded, bits = message["decoded"], message["bits"]
    fields: dict[str, Any] = {}
    for name, offset, width, is_signed, kind, _ in type(decoded).decoder_plan():
        if name in ("msg_type", "mmsi") or name.startswith(("spare", "empty", "reserved")) or offset >= len(bits):
            continue
        if kind == pyais.BYTES:
            fields[name] = getattr(decoded, name).hex()
        elif kind == pyais.STR:
            fields[name] = getattr(decoded, name)
        else:
            fields[name] = bits.get_num(offset, width, is_signed)
            if offset + width > len(bits):
                fields.setdefault(CUT, set()).add(name)
    return fields


def check(result: Comparison, rules: tuple[Rule, ...], minimum: int) -> None:
    explained, unexplained = sort_out(result.differences, rules)
    assert [item[:4] for item in unexplained] == []
    assert result.messages >= minimum
    assert sum(explained.values()) == len(result.differences)


@pytest.mark.parametrize(("name", "minimum"), list(zip(FILES, (4051, 102, 1326, 1459, 668), strict=True)))
def test_every_field_is_what_pyais_reads(recordings: Path, name: str, minimum: int) -> None:
    path = recordings / "ais" / name
    mine = ours(path.read_bytes(), is_lenient="gofree" in name)
    result = pair(mine, pyais_messages(path), pyais_fields, known_by(PYAIS))
    check(result, PYAIS, minimum)


@pytest.mark.parametrize(("name", "minimum"), [("gpsd_sample.aivdm", 97), ("gpsd_type6_fid55.log", 1265)])
def test_every_field_is_what_gpsd_has_stored(recordings: Path, name: str, minimum: int) -> None:
    mine = [ais for ais in ours((recordings / "ais" / name).read_bytes()) if ais.talker not in GPSD_TALKERS]
    stored = (recordings / "ais" / STORED[name]).read_text(encoding="utf-8", errors="replace")
    result = pair(mine, gpsd_messages(stored), gpsd_fields, known_by(GPSD))
    check(result, GPSD, minimum)


def test_a_wrong_field_has_no_explanation(recordings: Path) -> None:
    stored = gpsd_messages((recordings / "ais" / "gpsd_sample.aivdm.ju.chk").read_text())
    wrong: list[Difference] = []
    for name in ("speed", "lat", "draught", "dest_mmsi", "wspeed", "callsign"):
        message = next(message for message in stored if message.get(name) and message["type"] != 9)
        changed = message | {name: "WRONG" if name == "callsign" else message[name] + 1}
        mine = ours((recordings / "ais" / "gpsd_sample.aivdm").read_bytes())
        result = pair(mine, [changed], gpsd_fields, known_by(GPSD))
        _, unexplained = sort_out(result.differences, GPSD)
        wrong += [item for item in unexplained if item.field == name]
    assert {item.field for item in wrong} == {"speed", "lat", "draught", "dest_mmsi", "wspeed", "callsign"}


SCALED = {"lon": "lon_deg", "lat": "lat_deg", "speed": "sog_kn", "course": "cog_deg", "draught": "draught_m"}
STEP = {"lon": 1e-4, "lat": 1e-4, "speed": 0.05, "course": 0.05, "draught": 0.05}


def test_scaled_values_are_those_that_gpsd_has_stored(recordings: Path) -> None:
    """gpsd's other form of the same log: units of ours, its codes for "not available" as values or words."""
    stored = gpsd_messages((recordings / "ais" / "gpsd_sample.aivdm.js.chk").read_text())
    queues: defaultdict[tuple[int, int], list[Ais]] = defaultdict(list)
    for ais in ours((recordings / "ais" / "gpsd_sample.aivdm").read_bytes()):
        queues[ais.msg_type, ais.mmsi].append(ais)
    compared = 0
    for message in stored:
        if message["type"] in (6, 8, 17, 24):  # positions of something else, or merged
            continue
        known = {name: message[name] for name in SCALED if isinstance(message.get(name), (int, float))}
        same = [
            ais
            for ais in queues[message["type"], message["mmsi"]]
            if all(
                (value := getattr(ais, SCALED[name])) is None or abs(value - scaled) <= STEP[name]
                for name, scaled in known.items()
            )
        ]
        assert same, message
        compared += len(known)
    assert compared > 70
