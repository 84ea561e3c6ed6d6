"""The encoder's short cuts change no byte: beside it stands one without any, field by field as the schema says."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.history.channels import DIRECTIONS, NO_SERIES
from cloud_api.history.influx import line_protocol
from cloud_api.history.influx.line_protocol import (
    MAX_NUMBERED,
    NUMBERS,
    LineEncoder,
    boolean_text,
    document_text,
    float_text,
    integer_text,
    string_text,
    tag_text,
)
from cloud_api.history.influx.schema import MEASUREMENTS, PAYLOADS, Field, FieldType, aspect_of, slot_of
from cloud_api.history.models import StoredRecord
from contracts.errors import PeerError
from contracts.ids import split_stream_id
from contracts.payloads import Ais, Payload, Wind
from contracts.records import Clock, ClockState, Record
from tests.support.batches import START_NS, STREAM

TEXTS = {
    FieldType.FLOAT: float_text, FieldType.INTEGER: integer_text, FieldType.BOOLEAN: boolean_text,
    FieldType.STRING: string_text, FieldType.DOCUMENT: document_text, FieldType.FLOATS: document_text,
}  # fmt: skip


def plain_line(point: StoredRecord, time_ns: int, *, is_numbers_only: bool) -> bytes:
    """Return the line of a record as the protocol and the schema say it, with nothing kept and nothing skipped."""
    measurement = str(type(point.record.payload).__struct_config__.tag)
    parts = []
    try:
        values = msgspec.to_builtins(point.record.payload)
    except (TypeError, ValueError) as exc:
        raise PeerError("write point", measurement, str(exc), "", "wrong_type") from exc
    for field in MEASUREMENTS[measurement]:
        value = values.get(field.name)
        if value is not None:
            parts += _field(measurement, field, value, is_numbers_only=is_numbers_only)
    parts += [f"seq={point.record.seq}i"] if is_numbers_only else _of_record(point.record)
    try:
        return f"{_start(measurement, point)} {','.join(parts)} {time_ns}".encode()
    except UnicodeEncodeError as exc:
        raise PeerError("write point", measurement, str(exc), "", "not_text") from exc


def _field(measurement: str, field: Field, value: Any, *, is_numbers_only: bool) -> list[str]:
    if is_numbers_only and (field.type not in NUMBERS or field.name.endswith("_ns")):
        return []
    parts = []
    if field.type is FieldType.FLOATS:
        if not isinstance(value, list):
            raise PeerError("write point", field.name, "not a list", "", "wrong_type")
        items = enumerate(value[:MAX_NUMBERED], 1)
        parts = [f"{field.name}.{number}={float_text('', one)}" for number, one in items if one is not None]
    if not (is_numbers_only and field.type is FieldType.FLOATS):
        parts.append(f"{field.key}={TEXTS[field.type](field.name, value)}")
    if field.name in DIRECTIONS and measurement not in NO_SERIES:
        angle = math.radians(value)
        parts.append(f"{field.name}.cos={math.cos(angle)!r}")
        parts.append(f"{field.name}.sin={math.sin(angle)!r}")
    return parts


def _of_record(record: Record) -> list[str]:
    parts = [
        f"at_ns={integer_text('', record.observed_at_ns)}", f"seq={integer_text('', record.seq)}",
        f"clock={string_text('', record.clock.state.value)}", f"record_mono_ns={integer_text('', record.mono_ns)}",
        f"boot={string_text('', record.boot_id)}",
    ]  # fmt: skip
    if record.clock.error_ms is not None:
        parts.append(f"clock_error_ms={float_text('', record.clock.error_ms)}")
    if record.raw is not None:
        parts.append(f"raw={string_text('', record.raw)}")
    if record.mean_of:
        parts.append(f"mean_of={integer_text('', record.mean_of)}")
    if record.original_at_ns is not None:
        parts.append(f"original_at_ns={integer_text('', record.original_at_ns)}")
    return parts


def _start(measurement: str, point: StoredRecord) -> str:
    payload = point.record.payload
    site, gateway, store, record_class = split_stream_id(point.stream_id)
    tags = {
        "site": site, "gateway": gateway, "stream": f"{store}.{record_class}", "source": point.record.source,
        "place": point.record.place or "", "aspect": aspect_of(measurement, payload),
        "slot": slot_of(payload.mmsi) if isinstance(payload, Ais) else "",
    }  # fmt: skip
    return measurement + "".join(tag_text(name, value) for name, value in tags.items())


class Everything:
    """A bound that nothing is beyond."""

    def __lt__(self, _other: object) -> bool:
        return True

    __gt__ = __lt__


_NUMBERS = st.one_of(
    st.floats(), st.integers(), st.booleans(), st.just("7"),
    st.sampled_from([-0.0, 1e16, 1e-7, 2.0**53, 2.0**53 - 1, 2**53, -(2**53), 2**53 - 1, 2**63 - 1, 2**63, -(2**63)]),
)  # fmt: skip
_VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.FLOAT: st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-400, 400), _NUMBERS),
    FieldType.INTEGER: st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 5000), _NUMBERS),
    FieldType.BOOLEAN: st.one_of(st.booleans(), st.booleans(), _NUMBERS),
    FieldType.STRING: st.one_of(st.text(max_size=12), st.sampled_from(['"', "\\", "a b", "\ud800"]), _NUMBERS),
    FieldType.FLOATS: st.lists(st.one_of(st.none(), st.floats(), st.integers(-9, 9)), max_size=70),
    FieldType.DOCUMENT: st.dictionaries(st.text(max_size=3), st.one_of(st.none(), st.integers(0, 9), st.text("ü\n"))),
}  # fmt: skip


@st.composite
def _points(draw: st.DrawFn) -> StoredRecord:
    """Draw a record of any type with values of which many are what the type says, and some are not."""
    measurement = draw(st.sampled_from(sorted(MEASUREMENTS)))
    types = {field.name: field.type for field in MEASUREMENTS[measurement]}
    names = draw(st.lists(st.sampled_from(sorted(types)), unique=True, max_size=8))
    required = [one.name for one in msgspec.structs.fields(PAYLOADS[measurement]) if one.required]
    values: dict[str, Any] = dict.fromkeys(required) | {name: draw(_VALUES[types[name]]) for name in names}
    if measurement == "ais":
        values["mmsi"] = draw(st.integers(0, 2**30))
    elif measurement == "transducer":
        values |= {"name": draw(st.text(max_size=5)), "quantity": "pressure"}
    make: Any = PAYLOADS[measurement]  # unlike a decoder it checks no type
    payload: Payload = make(**values)
    state = draw(st.sampled_from(list(ClockState)))
    record = Record(
        seq=draw(st.integers(1, 2**62)), observed_at_ns=START_NS + draw(st.integers(0, 10**18)),
        clock=Clock(state, draw(st.one_of(st.none(), st.floats(0, 9)))), mono_ns=draw(st.integers(0, 2**62)),
        boot_id="boot-1", source=draw(st.sampled_from(["ais", "a,b=c d", "mast"])), payload=payload,
        place=draw(st.sampled_from([None, "berth-1"])), raw=draw(st.sampled_from([None, '!AIVDM,"\\'])),
        mean_of=draw(st.sampled_from([0, 3])), original_at_ns=draw(st.sampled_from([None, START_NS])),
    )  # fmt: skip
    return StoredRecord(STREAM, "puerto-demo", "gw-1", record)


def _outcome(encode: Callable[[], bytes]) -> bytes | str:
    """Return the line, or the reason of a refusal."""
    try:
        return encode()
    except PeerError as exc:
        return exc.reason


_ENCODERS = {numbers: LineEncoder(is_numbers_only=numbers) for numbers in (False, True)}
"""Kept from one example to the next, so that beginnings of lines are those of others too."""


@given(_points(), st.booleans(), st.integers(0, 2**62))
def test_every_record_is_written_byte_by_byte_as_by_the_plain_encoder(
    point: StoredRecord,
    is_numbers_only: bool,  # noqa: FBT001 - a case
    time_ns: int,
) -> None:
    expected = _outcome(lambda: plain_line(point, time_ns, is_numbers_only=is_numbers_only))
    assert _outcome(lambda: _ENCODERS[is_numbers_only].encode(point, time_ns)) == expected


@pytest.mark.parametrize(("value", "reason"), [(math.nan, "not_finite"), (math.inf, "not_finite"), ("7", "wrong_type")])
def test_without_its_bounds_the_short_cut_would_write_what_is_no_number(
    value: Any, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: the bounds are what sends such a value to the closer look."""
    record = Record(
        seq=1, observed_at_ns=START_NS, clock=Clock(ClockState.NTP, 1.0), mono_ns=1, boot_id="b", source="mast",
        payload=Wind(speed_mps=value),
    )  # fmt: skip
    point = StoredRecord(STREAM, "puerto-demo", "gw-1", record)
    assert _outcome(lambda: LineEncoder().encode(point, 7)) == reason
    if isinstance(value, float):
        monkeypatch.setattr(line_protocol, "_LOWEST_PLAIN", Everything())
        monkeypatch.setattr(line_protocol, "_HIGHEST_PLAIN", Everything())
        assert f"speed_mps={value!r}".encode() in LineEncoder().encode(point, 7)
