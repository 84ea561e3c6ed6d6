"""The schema of the history in an InfluxDB: measurements, tags, fields and their types. Sans-io.

One measurement a payload type. The type of a field is that of the attribute in ``contracts.payloads``, always: the
server fixes a field's type by the first value that it sees, so that a value of another type would be refused for ever.
What is not known is not written. docs/history_schema.md is this module as a table; a test holds both together.

**Cardinality.** An MMSI is 30 bits that any transmitter chooses, so it is a field; the tag is ``slot``, the MMSI modulo
``SLOTS``, which bounds the series whatever is on the air, and needs no memory of what was admitted, so that the same
record gives the same point in every process and at every attempt (ADR 0131).

**Time.** A point's time is the observation's millisecond, and below it the record's number modulo ``TIES``: records of
one stream and one moment stay apart, and a record sent again is the same point. The exact time is the field ``at_ns``.

*Source:* InfluxDB 1.x, line protocol reference; ITU-R M.585-9 (MMSI).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import quote, unquote

import msgspec

from cloud_api.history.channels import DIRECTIONS
from cloud_api.history.series import ais_aspect, kind_of
from cloud_api.sensor_names import sensor_key
from contracts.payloads import Ais, Gap, Payload, Transducer
from contracts.records import Record

SLOTS = 4096
"""Values of the tag ``slot``: with 20,000 vessels in the air five share one, which a track pays for by reading five."""
TIES = 1_000_000
"""Records of one stream and one millisecond that stay apart: a gateway whose clock stands still sends 500 a batch."""
MILLISECOND_NS = 1_000_000
PLACED = "raw"
"""Retention policy of what lies within the retention."""
BEYOND = "beyond"
"""Retention policy of records whose time lies outside of it: a clock of 1970 or 2100, a gateway back after months."""
ROLLED_UP = "rollup_1m"
"""Retention policy of minimum, mean and maximum a minute."""
COSINE, SINE = ".cos", ".sin"
"""What is kept beside a direction, so that a server can average it: the unit vector."""


class FieldType(StrEnum):
    """Type of a field on the server."""

    FLOAT = "float"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    STRING = "string"
    FLOATS = "floats"
    """A list of numbers: a field ``{name}.{n}`` each, from 1, and the list as JSON text in ``{name}``."""
    DOCUMENT = "document"
    """A mapping, as JSON text."""


@dataclass(frozen=True)
class Field:
    """One attribute of a payload as it is stored.

    Attributes:
        name: of the attribute.
        type: on the server.
        default: value that is not written, because a reader takes it for what is absent.
        key: of the field: its name, save where a tag has that name.
    """

    name: str
    type: FieldType
    default: object
    key: str


RECORD_FIELDS = (
    Field("at_ns", FieldType.INTEGER, None, "at_ns"),
    Field("seq", FieldType.INTEGER, None, "seq"),
    Field("clock", FieldType.STRING, None, "clock"),
    Field("clock_error_ms", FieldType.FLOAT, None, "clock_error_ms"),
    Field("mono_ns", FieldType.INTEGER, None, "record_mono_ns"),
    Field("boot", FieldType.STRING, None, "boot"),
    Field("raw", FieldType.STRING, None, "raw"),
    Field("mean_of", FieldType.INTEGER, 0, "mean_of"),
    Field("original_at_ns", FieldType.INTEGER, None, "original_at_ns"),
)
"""What every measurement has of its record; no payload has a field of these keys."""

TAGS = ("site", "gateway", "stream", "source", "place", "aspect", "slot")
"""``stream`` is ``{store}.{class}``: with site and gateway the stream id. What a record does not have is left out."""


def _field_type(declared: object) -> FieldType:
    options = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
    (only,) = [option for option in options if option is not NoneType]
    if get_origin(only) is list:
        return FieldType.FLOATS
    if get_origin(only) is dict:
        return FieldType.DOCUMENT
    if isinstance(only, type) and issubclass(only, Enum):
        return FieldType.STRING
    return {float: FieldType.FLOAT, int: FieldType.INTEGER, bool: FieldType.BOOLEAN, str: FieldType.STRING}[only]


def _default(declared: msgspec.structs.FieldInfo) -> object:
    if declared.default_factory is not msgspec.NODEFAULT:
        return declared.default_factory()
    return None if declared.default is msgspec.NODEFAULT else declared.default


def _fields(measurement: str, payload: type[msgspec.Struct]) -> tuple[Field, ...]:
    return tuple(
        Field(
            item.name, _field_type(item.type), _default(item),
            f"{measurement}_{item.name}" if item.name in TAGS else item.name,
        )
        for item in msgspec.structs.fields(payload)
    )  # fmt: skip


def _measurements() -> dict[str, tuple[type[msgspec.Struct], tuple[Field, ...]]]:
    found = {}
    for payload in get_args(Payload):
        if payload is not Gap:
            measurement = str(payload.__struct_config__.tag)
            found[measurement] = (payload, _fields(measurement, payload))
    return found


_MEASUREMENTS = _measurements()
MEASUREMENTS: Mapping[str, tuple[Field, ...]] = {name: fields for name, (_, fields) in _MEASUREMENTS.items()}
"""Fields of each measurement, beside ``RECORD_FIELDS``."""
PAYLOADS: Mapping[str, type[msgspec.Struct]] = {name: payload for name, (payload, _) in _MEASUREMENTS.items()}
"""Payload type of each measurement."""


def measurement_of(record: Record) -> str:
    """Return the measurement of a record."""
    return kind_of(type(record.payload))


def aspect_of(measurement: str, payload: object) -> str:
    """Return what tells points of one source and place apart: of AIS what it is about, of transducers the sensor."""
    if isinstance(payload, Ais):
        return ais_aspect(payload)
    return sensor_key(measurement, payload) if isinstance(payload, Transducer) else ""


def slot_of(mmsi: int) -> str:
    """Return the tag that stands for an MMSI."""
    return str(mmsi % SLOTS)


def tag_value(value: str) -> str:
    """Return what a tag says for a value: the value, or where the protocol cannot say it, percent-encoded.

    Ids need no encoding. What does are a backslash, which the protocol leaves without an escape of its own, a percent
    sign, and what is not printable, a line's end before all.
    """
    if value.isprintable() and "\\" not in value and "%" not in value:
        return value
    return "".join(
        letter if letter.isprintable() and letter not in "\\%" else quote(letter, safe="") for letter in value
    )


def value_of_tag(tag: str) -> str:
    """Return the value that a tag stands for."""
    return unquote(tag) if "%" in tag else tag


def point_time_ns(observed_at_ns: int, seq: int) -> int:
    """Return the time of a point: the millisecond of the observation, and below it the record's number."""
    return observed_at_ns // MILLISECOND_NS * MILLISECOND_NS + seq % TIES


def averaged_fields(measurement: str) -> list[str]:
    """Return the fields of a measurement that have a minimum, mean and maximum: numbers that are no time."""
    numbers = (FieldType.FLOAT, FieldType.INTEGER)
    return [
        field.name
        for field in MEASUREMENTS[measurement]
        if field.type in numbers and not field.name.endswith("_ns") and field.name not in DIRECTIONS
    ]


def numbered_fields(measurement: str) -> list[str]:
    """Return the fields of a measurement that are lists, with a field for each item."""
    return [field.name for field in MEASUREMENTS[measurement] if field.type is FieldType.FLOATS]


def directions(measurement: str) -> list[str]:
    """Return the fields of a measurement of fixed sensors that go round at 360."""
    return [field.name for field in MEASUREMENTS[measurement] if field.name in DIRECTIONS]


def payload_from(measurement: str, row: Mapping[str, Any]) -> Payload:
    """Return the payload of a point.

    Args:
        measurement: its measurement.
        row: its fields by name; None where it has none.

    Raises:
        msgspec.ValidationError: the point was not written by this schema.
    """
    values: dict[str, Any] = {"type": measurement}
    for field in MEASUREMENTS[measurement]:
        value = row.get(field.key)
        if value is not None:
            is_json = field.type in (FieldType.FLOATS, FieldType.DOCUMENT)
            values[field.name] = msgspec.json.decode(value) if is_json else value
        elif field.default is None:
            # what is not known is told as such: some attributes may be null but not left out
            values[field.name] = None
    payload: Payload = msgspec.convert(values, Payload)
    return payload
