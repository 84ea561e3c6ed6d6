"""Decoder of the live wire, written from docs/live_wire.md alone: what a browser sees of a frame."""

import json
import struct
from dataclasses import dataclass, field
from typing import Any

STATIONS = {
    0: "class_a",
    1: "class_b",
    2: "base",
    3: "aton",
    4: "sar_aircraft",
    5: "survival",
    7: "unknown",
}
KINDS = {1: "snapshot", 2: "delta"}


class BadFrameError(Exception):
    """The bytes are not a frame of version 1."""


@dataclass(frozen=True)
class Frame:
    """One decoded frame; values are in the units of the API, None where not available."""

    version: int
    kind: str
    epoch: int
    tick: int
    server_time_ms: float
    targets: list[dict[str, Any]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    statics: list[dict[str, Any]] = field(default_factory=list)
    sensors: list[dict[str, Any]] = field(default_factory=list)
    gateways: list[dict[str, Any]] = field(default_factory=list)
    gone_sensors: list[str] = field(default_factory=list)
    unknown_sections: list[int] = field(default_factory=list)


def decode(data: bytes) -> Frame:
    """Decode one frame or raise `BadFrameError`."""
    if len(data) < 24:
        msg = "header is cut"
        raise BadFrameError(msg)
    version, kind, count, epoch, tick, reserved, at_ms = struct.unpack_from("<BBHIIId", data)
    if version != 1 or kind not in KINDS or reserved != 0:
        msg = f"version {version}, kind {kind}, reserved {reserved}"
        raise BadFrameError(msg)
    frame = Frame(version, KINDS[kind], epoch, tick, at_ms)
    offset = 24
    for _ in range(count):
        if offset + 8 > len(data):
            msg = "section header is cut"
            raise BadFrameError(msg)
        section, _, _, length = struct.unpack_from("<BBHI", data, offset)
        body = data[offset + 8 : offset + 8 + length]
        if len(body) != length:
            msg = f"section {section} is cut"
            raise BadFrameError(msg)
        _read_section(frame, section, body)
        offset += 8 + length
    if offset != len(data):
        msg = f"{len(data) - offset} bytes after the last section"
        raise BadFrameError(msg)
    return frame


def _read_section(frame: Frame, section: int, body: bytes) -> None:
    lists: dict[int, list[Any]] = {3: frame.statics, 4: frame.sensors, 5: frame.gateways, 6: frame.gone_sensors}
    if section == 1:
        frame.targets.extend(_read_targets(body))
    elif section == 2:
        (n,) = struct.unpack_from("<I", body)
        frame.gone.extend(struct.unpack(f"<{n}I", body[4:]))
    elif section in lists:
        lists[section].extend(json.loads(body))
    else:
        frame.unknown_sections.append(section)


def _read_targets(body: bytes) -> list[dict[str, Any]]:
    (n,) = struct.unpack_from("<I", body)
    if len(body) != 4 + 20 * n:
        msg = f"{n} targets in {len(body)} bytes"
        raise BadFrameError(msg)
    columns: list[tuple[int, ...]] = []
    offset = 4
    for code, size in (("I", 4), ("i", 4), ("i", 4), ("H", 2), ("H", 2), ("H", 2), ("H", 2)):
        columns.append(struct.unpack_from(f"<{n}{code}", body, offset))
        offset += n * size
    return [_target(*values) for values in zip(*columns, strict=True)]


def _target(mmsi: int, lon: int, lat: int, sog: int, cog: int, bits: int, age: int) -> dict[str, Any]:
    heading, status = bits & 0x1FF, bits >> 9 & 0xF
    return {
        "mmsi": mmsi,
        "lon_deg": lon / 1e7,
        "lat_deg": lat / 1e7,
        "sog_kn": None if sog == 0xFFFF else sog / 10,
        "cog_deg": None if cog == 0xFFFF else cog / 10,
        "heading_deg": None if heading == 511 else heading,
        "nav_status": None if status == 15 else status,
        "station": STATIONS.get(bits >> 13, "unknown"),
        "age_s": age / 10,
    }
