import math
import re
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.history.influx.line_protocol import MAX_NUMBERED, LineEncoder, float_text, integer_text
from cloud_api.history.influx.schema import (
    MEASUREMENTS,
    PAYLOADS,
    RECORD_FIELDS,
    TAGS,
    FieldType,
    payload_from,
    point_time_ns,
    value_of_tag,
)
from cloud_api.history.models import StoredRecord
from contracts.errors import PeerError
from contracts.payloads import Ais, AisStation, BerthSample, ClockSet, CraneSample, Log, Payload, Transducer, Wind
from contracts.records import Record
from tests.support.batches import START_NS, STREAM, record
from tests.support.line_reader import read_line

TELEMETRY = STREAM.replace("track", "telemetry")


def point(payload: Payload, seq: int = 1, **more: Any) -> StoredRecord:
    made: Record = msgspec.structs.replace(record(seq, payload), **more)
    return StoredRecord(TELEMETRY, "puerto-demo", "gw-1", made)


def line(payload: Payload, **more: Any) -> str:
    return LineEncoder().encode(point(payload, **more), 7).decode()


def test_a_position_is_one_line_with_its_tags_typed_fields_and_time() -> None:
    payload = Ais(msg_type=1, mmsi=224_004_097, station=AisStation.CLASS_A, lon_deg=-3.01, lat_deg=43.0, heading_deg=81)
    read = read_line(line(payload))
    assert read.measurement == "ais"
    assert read.tags == {
        "site": "puerto-demo", "gateway": "gw-1", "stream": "abcd1234.telemetry", "source": "ais",
        "aspect": "position", "slot": str(224_004_097 % 4096),
    }  # fmt: skip
    assert read.fields["mmsi"] == 224_004_097
    assert read.fields["lat_deg"] == 43.0
    assert isinstance(read.fields["lat_deg"], float)
    assert isinstance(read.fields["heading_deg"], int)
    assert read.fields["at_ns"] == START_NS + 1_000_000
    assert read.time_ns == 7


def test_what_is_not_known_is_not_written() -> None:
    assert "direction_deg" not in line(Wind(speed_mps=3.0))


def test_a_whole_number_in_a_float_field_stays_a_float() -> None:
    """Without it the first whole number would make the field an integer for ever, and 7.5 be refused."""
    assert "speed_mps=7.0," in line(msgspec.convert({"type": "wind", "speed_mps": 7}, Wind))
    assert float_text("x", 7) == "7.0"


def test_a_direction_carries_its_unit_vector() -> None:
    fields = read_line(line(Wind(direction_deg=90.0))).fields
    assert math.isclose(float(fields["direction_deg.sin"]), 1.0)
    assert math.isclose(float(fields["direction_deg.cos"]), 0.0, abs_tol=1e-12)


def test_a_list_is_a_field_an_item_and_kept_whole() -> None:
    fields = read_line(line(BerthSample([410.5, None, 12.0]))).fields
    assert fields["hook_tension_kn.1"] == 410.5
    assert fields["hook_tension_kn.3"] == 12.0
    assert "hook_tension_kn.2" not in fields
    assert fields["hook_tension_kn"] == "[410.5,null,12.0]"


def test_a_long_list_gets_no_more_fields_than_the_cap() -> None:
    fields = read_line(line(BerthSample([1.0] * 500))).fields
    assert sum(name.startswith("hook_tension_kn.") for name in fields) == MAX_NUMBERED
    assert str(fields["hook_tension_kn"]).count("1.0") == 500


@pytest.mark.parametrize(
    ("payload", "more", "reason"),
    [
        (Wind(speed_mps=math.nan), {}, "not_finite"),
        (Wind(speed_mps=math.inf), {}, "not_finite"),
        (Wind(speed_mps=-math.inf), {}, "not_finite"),
        (Wind(speed_mps=10**400), {}, "not_finite"),
        (Wind(speed_mps="7"), {}, "wrong_type"),  # type: ignore[arg-type]
        (Wind(speed_mps=True), {}, "wrong_type"),
        (CraneSample(cycle_no=1.5), {}, "wrong_type"),  # type: ignore[arg-type]
        (CraneSample(is_twin=1), {}, "wrong_type"),  # type: ignore[arg-type]
        (CraneSample(cycle_no=2**63), {}, "integer_range"),
        (BerthSample([math.nan]), {}, "not_finite"),
        (BerthSample([[1.0]]), {}, "wrong_type"),  # type: ignore[list-item]
        (Log(level=3, event="x"), {}, "wrong_type"),  # type: ignore[arg-type]
        (Log(level="info", event="\ud800"), {}, "not_text"),
        (Wind(), {"mono_ns": 2**64}, "integer_range"),
        (Wind(), {"observed_at_ns": 2**70}, "integer_range"),
        (Wind(), {"raw": "\udfff"}, "not_text"),
        (Wind(), {"source": "\ud800"}, "bad_tag"),
        (Wind(), {"place": "x" * 300}, "bad_tag"),
    ],
)
def test_what_the_protocol_cannot_say_is_refused_with_a_reason(payload: Payload, more: Any, reason: str) -> None:
    with pytest.raises(PeerError) as caught:
        LineEncoder().encode(point(payload, **more), 7)
    assert caught.value.reason == reason


@given(st.text(min_size=1, max_size=30), st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_out_of_its_place(source: str, event: str, raw: str) -> None:
    """Whatever letters: a line that reads back as it was meant, or one error."""
    reason = ""
    try:
        text = line(Log(level="info", event=event, fields={"k": raw}), source=source, raw=raw)
    except PeerError as exc:
        reason = exc.reason
    if reason:
        assert reason in {"bad_tag", "not_text"}
        return
    read = read_line(text)
    assert (read.measurement, value_of_tag(read.tags["source"]), read.fields["event"]) == ("log", source, event)
    assert read.fields["raw"] == raw
    assert read.time_ns == 7


def test_without_escapes_a_text_would_break_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the test above."""
    monkeypatch.setattr("cloud_api.history.influx.line_protocol._STRING_ESCAPES", {})
    text = line(Log(level="info", event='x",is_healthy=true,y="'), source="a")
    assert "is_healthy" in read_line(text).fields


_PAYLOADS = st.sampled_from([
    Ais(msg_type=5, mmsi=1, name='A "B"', other={"spare": 3, "text": "x,y"}, to_bow_m=0),
    BerthSample([None, 1.5], laser_distance_m=[]), Wind(speed_mps=0.0, direction_deg=359.9),
    CraneSample(is_twin=False, cycle_no=0), ClockSet("b", 5, 6, 1.0, "gnss", 2.0),
    Transducer(name="AIRP", quantity="pressure", value=1013.2, unit="hPa"),
    Log(level="info", event="e", fields={"a": None, "b": 1.5, "c": "ü\n"}),
])  # fmt: skip


@given(_PAYLOADS)
def test_a_payload_comes_back_as_it_was(payload: Payload) -> None:
    read = read_line(line(payload))
    assert payload_from(read.measurement, read.fields) == payload


FILLED: dict[FieldType, object] = {
    FieldType.FLOAT: 7.0, FieldType.INTEGER: 7, FieldType.BOOLEAN: True, FieldType.STRING: "class_a",
    FieldType.FLOATS: [1.5, None, 2.0], FieldType.DOCUMENT: {"a": 7},
}  # fmt: skip


@pytest.mark.parametrize("measurement", sorted(MEASUREMENTS))
@pytest.mark.parametrize("is_filled", [True, False])
def test_every_payload_type_comes_back_full_and_bare(measurement: str, is_filled: bool) -> None:  # noqa: FBT001 - a case
    kind, values = PAYLOADS[measurement], {}
    for field, declared in zip(MEASUREMENTS[measurement], msgspec.structs.fields(kind), strict=True):
        is_nullable = type(None) in get_args(declared.type)
        if is_filled or (declared.required and not is_nullable):
            values[field.name] = FILLED[field.type]
        elif declared.required:
            values[field.name] = None
    payload = msgspec.convert({"type": measurement} | values, Payload)
    read = read_line(line(payload))
    # the server writes a whole float as 7, as JSON has it
    bare = {
        key: int(value) if isinstance(value, float) and value == 7.0 else value for key, value in read.fields.items()
    }
    assert payload_from(read.measurement, bare) == payload


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_written_exactly(value: float) -> None:
    assert float(float_text("x", value)) == value


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_an_integer_is_written_exactly(value: int) -> None:
    assert integer_text("x", value) == f"{value}i"


@given(st.integers(min_value=1), st.integers(min_value=1, max_value=999_999), st.integers(min_value=0, max_value=2**62))
def test_records_of_one_nanosecond_stay_apart(seq: int, apart: int, at_ns: int) -> None:
    assert point_time_ns(at_ns, seq) != point_time_ns(at_ns, seq + apart)
    assert abs(point_time_ns(at_ns, seq) - at_ns) < 1_000_000


def test_every_payload_type_has_a_measurement_with_fixed_types() -> None:
    assert "gap" not in MEASUREMENTS
    for name, fields in MEASUREMENTS.items():
        assert re.fullmatch(r"[a-z_]+", name)
        assert all(isinstance(field.type, FieldType) for field in fields)
        assert not {field.key for field in fields} & ({field.key for field in RECORD_FIELDS} | {*TAGS, "time"}), name


def test_numbers_only_leaves_texts_and_wide_integers_out() -> None:
    read = read_line(LineEncoder(is_numbers_only=True).encode(point(BerthSample([1.5])), 7).decode())
    assert read.fields == {"hook_tension_kn.1": 1.5, "seq": 1}
