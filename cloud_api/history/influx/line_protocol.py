"""Records as lines of the InfluxDB line protocol. Sans-io.

A line that would be refused or misread is never made: what is no finite number, no 64-bit integer, no Unicode text or
no value of a tag is refused here with a reason, one record at a time.

*Source:* InfluxDB 1.x, line protocol reference (escaping of tags and strings, ``i`` of integers).
"""

import math
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from cloud_api.history.channels import DIRECTIONS, NO_SERIES
from cloud_api.history.influx.schema import (
    COSINE,
    MEASUREMENTS,
    SINE,
    SLOTS,
    Field,
    FieldType,
    aspect_of,
    slot_of,
    tag_value,
)
from cloud_api.history.models import StoredRecord
from cloud_api.history.series import kind_of
from contracts.errors import PeerError
from contracts.ids import split_stream_id
from contracts.payloads import Ais
from contracts.records import ClockState

MAX_TAG_BYTES = 256
"""Value of one tag: ids have 40 letters; servers take up to 64 KiB a key and keep it in memory."""
MAX_NUMBERED = 64
"""Items of a list that get a field of their own: a berth has 30 hooks. The list itself is kept whole."""
MAX_PREFIXES = 65_536
"""Beginnings of lines kept: 4,096 slots of sixteen receivers; beyond it they are made anew."""
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
_LOWEST_PLAIN, _HIGHEST_PLAIN = -(2**53), 2**53
"""Bounds of numbers that need no closer look, as a float or as an integer: neither not finite nor over 64 bits."""

_TAG_ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_STRING_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\"})
_ENCODER = msgspec.json.Encoder()
_CLOCKS = {state: state.value for state in ClockState}


def _refuse(name: str, value: object, cause: str, reason: str) -> PeerError:
    return PeerError("write point", f"{name}={value!r:.80}", cause, "", reason)


def float_text(name: str, value: object) -> str:
    """Return a float as the protocol writes it.

    Raises:
        PeerError: it is no number (``wrong_type``) or not finite (``not_finite``).
    """
    if type(value) is not float:
        if type(value) is not int:
            raise _refuse(name, value, "not a number", "wrong_type")
        try:
            value = float(value)
        except OverflowError:
            raise _refuse(name, value, "not a 64-bit number", "not_finite") from None
    if not math.isfinite(value):
        raise _refuse(name, value, "not a finite number", "not_finite")
    return repr(value)


def integer_text(name: str, value: object) -> str:
    """Return an integer as the protocol writes it.

    Raises:
        PeerError: it is no integer (``wrong_type``) or has more than 64 bits (``integer_range``).
    """
    if type(value) is not int:
        raise _refuse(name, value, "not an integer", "wrong_type")
    if not MIN_INTEGER <= value <= MAX_INTEGER:
        raise _refuse(name, value, "over 64 bits", "integer_range")
    return f"{value}i"


def boolean_text(name: str, value: object) -> str:
    """Return a boolean as the protocol writes it.

    Raises:
        PeerError: it is none (``wrong_type``).
    """
    if type(value) is not bool:
        raise _refuse(name, value, "not a boolean", "wrong_type")
    return "true" if value else "false"


def string_text(name: str, value: object) -> str:
    """Return a text as the protocol writes it.

    Raises:
        PeerError: it is no text (``wrong_type``).
    """
    if type(value) is not str:
        if isinstance(value, Enum):
            value = value.value
        if type(value) is not str:
            raise _refuse(name, value, "not a text", "wrong_type")
    # hardly any text needs it, and translate() looks at each letter
    return f'"{value.translate(_STRING_ESCAPES)}"' if '"' in value or "\\" in value else f'"{value}"'


def document_text(name: str, value: object) -> str:
    """Return a list or mapping as JSON text.

    Raises:
        PeerError: it cannot be written as JSON (``wrong_type``).
    """
    try:
        return f'"{_ENCODER.encode(value).decode().translate(_STRING_ESCAPES)}"'
    except (TypeError, ValueError, OverflowError) as exc:
        raise _refuse(name, value, str(exc), "wrong_type") from exc


def tag_text(name: str, value: str) -> str:
    """Return a tag with its comma, or nothing for an empty value, which has no tag.

    Raises:
        PeerError: it has over ``MAX_TAG_BYTES`` or is no Unicode (``bad_tag``).
    """
    if not value:
        return ""
    try:
        size_bytes = len(value.encode())
    except UnicodeEncodeError as exc:
        raise _refuse(name, value, "not Unicode", "bad_tag") from exc
    if size_bytes > MAX_TAG_BYTES:
        raise _refuse(name, value, f"over {MAX_TAG_BYTES} bytes", "bad_tag")
    return f",{name}={tag_value(value).translate(_TAG_ESCAPES)}"


_TEXTS: dict[FieldType, Callable[[str, object], str]] = {
    FieldType.FLOAT: float_text,
    FieldType.INTEGER: integer_text,
    FieldType.BOOLEAN: boolean_text,
    FieldType.STRING: string_text,
    FieldType.DOCUMENT: document_text,
    FieldType.FLOATS: document_text,
}
_PLAIN: dict[FieldType, type[Any]] = {FieldType.FLOAT: float, FieldType.INTEGER: int}
"""Types whose values are mostly written without a call: an AIS position has seven of them."""
NUMBERS = frozenset({FieldType.FLOAT, FieldType.INTEGER, FieldType.BOOLEAN, FieldType.FLOATS})


class _Start(NamedTuple):
    """What lines of a series begin with, and what tells the series apart, see ``encode_with_series``."""

    text: str
    series: tuple[str, ...]


class LineEncoder:
    """Makes lines of records.

    Args:
        is_numbers_only: leaves texts and the wide integers out, for a server that keeps only 64-bit floats.
    """

    def __init__(self, *, is_numbers_only: bool = False) -> None:
        self._is_numbers_only = is_numbers_only
        self._starts: dict[tuple[str | int, ...], _Start] = {}
        self._fields = {
            name: {
                field.name: (f"{field.key}=", _PLAIN.get(field.type), _TEXTS[field.type],
                             field.type is FieldType.FLOATS, field.name in DIRECTIONS and name not in NO_SERIES)
                for field in fields
                if not is_numbers_only or _is_number(field)
            }
            for name, fields in MEASUREMENTS.items()
        }  # fmt: skip

    def encode(self, point: StoredRecord, time_ns: int) -> bytes:
        """Return the line of a record, without its end.

        Args:
            point: the record.
            time_ns: time of the point, UTC ns.

        Raises:
            PeerError: it cannot be written: ``wrong_type``, ``not_finite``, ``integer_range``, ``not_text``,
                ``bad_tag`` or ``bad_id`` (of the stream).
        """
        return self.encode_with_series(point, time_ns)[0]

    def encode_with_series(self, point: StoredRecord, time_ns: int) -> tuple[bytes, tuple[str, ...]]:
        """Return the line of a record, as ``encode``, and its series.

        The series is the measurement and what tells it apart within: stream id, source, place, aspect and slot.
        """
        parts = self._payload_fields(point)
        if not self._is_numbers_only:
            self._add_record_fields(parts, point)
        else:
            parts.append(f"seq={point.record.seq}i")
        start = self._start(point)
        try:
            return f"{start.text} {','.join(parts)} {time_ns}".encode(), start.series
        except UnicodeEncodeError as exc:
            raise _refuse("text", exc.object, "not Unicode", "not_text") from exc

    def _start(self, point: StoredRecord) -> _Start:
        record = point.record
        payload = record.payload
        measurement = kind_of(type(payload))
        slot = payload.mmsi % SLOTS if isinstance(payload, Ais) else -1
        key = (measurement, point.stream_id, record.source, record.place or "", aspect_of(measurement, payload), slot)
        start = self._starts.get(key)
        if start is None:
            start = _start_of(*key[:5], slot_of(slot) if slot >= 0 else "")
            if len(self._starts) >= MAX_PREFIXES:
                self._starts.clear()
            self._starts[key] = start
        return start

    def _payload_fields(self, point: StoredRecord) -> list[str]:
        payload = point.record.payload
        try:
            # what has a value, and no others: an AIS position has 8 of its 34
            values: dict[str, Any] = msgspec.to_builtins(payload)
        except (TypeError, ValueError) as exc:
            raise _refuse("payload", payload, str(exc), "wrong_type") from exc
        fields = self._fields[values.pop("type")]
        parts = []
        for name, value in values.items():
            field = fields.get(name)
            if value is None or field is None:
                continue
            key, plain, text, is_list, is_direction = field
            if type(value) is plain and _LOWEST_PLAIN < value < _HIGHEST_PLAIN:
                parts.append(f"{key}{value!r}" if plain is float else f"{key}{value}i")
            else:
                if is_list:
                    parts += _numbered(name, value)
                    if self._is_numbers_only:
                        continue
                parts.append(f"{key}{text(name, value)}")
            if is_direction:
                angle = math.radians(value)
                parts.append(f"{name}{COSINE}={math.cos(angle)!r},{name}{SINE}={math.sin(angle)!r}")
        return parts

    def _add_record_fields(self, parts: list[str], point: StoredRecord) -> None:
        record = point.record
        parts.append(
            f"at_ns={integer_text('at_ns', record.observed_at_ns)},seq={integer_text('seq', record.seq)},"
            f'clock="{_CLOCKS[record.clock.state]}",record_mono_ns={integer_text("mono_ns", record.mono_ns)},'
            f"boot={string_text('boot', record.boot_id)}"
        )
        if record.clock.error_ms is not None:
            parts.append(f"clock_error_ms={float_text('clock_error_ms', record.clock.error_ms)}")
        if record.raw is not None:
            parts.append(f"raw={string_text('raw', record.raw)}")
        if record.mean_of:
            parts.append(f"mean_of={integer_text('mean_of', record.mean_of)}")
        if record.original_at_ns is not None:
            parts.append(f"original_at_ns={integer_text('original_at_ns', record.original_at_ns)}")


def _start_of(measurement: str, stream_id: str, source: str, place: str, aspect: str, slot: str) -> _Start:
    site, gateway, store, record_class = split_stream_id(stream_id)
    text = f"{measurement},site={site},gateway={gateway}" + "".join(
        (
            tag_text("stream", f"{store}.{record_class}"),
            tag_text("source", source),
            tag_text("place", place),
            tag_text("aspect", aspect),
            tag_text("slot", slot),
        )
    )
    return _Start(text, (measurement, stream_id, source, place, aspect, slot))


def _is_number(field: Field) -> bool:
    return field.type in NUMBERS and not field.name.endswith("_ns")


def _numbered(name: str, values: object) -> list[str]:
    if not isinstance(values, list):
        raise _refuse(name, values, "not a list", "wrong_type")
    return [
        f"{name}.{number}={float_text(name, value)}"
        for number, value in enumerate(values[:MAX_NUMBERED], 1)
        if value is not None
    ]
