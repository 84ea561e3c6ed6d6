"""Encoder of the live wire, version 1. Sans-io: values in, bytes out.

A frame is a 24-byte header and sections; targets travel as columns, everything else as JSON. Targets are quantised
once, when they change (`pack_target`), not once a client: a frame of 5,000 targets is then seven `struct.pack` calls.
It refuses to send a sentinel as a value: what would collide with "not available" is clamped below it.

*Source:* docs/live_wire.md; field ranges ITU-R M.1371-5, annex 8, tables 48 and 49.
"""

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec

from contracts.payloads import AisStation

WIRE_VERSION = 1
NOT_AVAILABLE_U16 = 0xFFFF
NOT_AVAILABLE_HEADING = 511
NOT_AVAILABLE_STATUS = 15
MAX_AGE_TENTHS = 0xFFFF
"""Oldest age that the column can say, 0.1 s: one hour and 49 minutes, more than any ship stays listed unheard."""

HEADER = struct.Struct("<BBHIIId")
SECTION = struct.Struct("<BBHI")

STATION_CODES: dict[AisStation, int] = {
    AisStation.CLASS_A: 0,
    AisStation.CLASS_B: 1,
    AisStation.BASE: 2,
    AisStation.ATON: 3,
    AisStation.SAR_AIRCRAFT: 4,
    AisStation.SURVIVAL: 5,
    AisStation.UNKNOWN: 7,
}

_JSON = msgspec.json.Encoder()


class FrameKind(IntEnum):
    """Second byte of a frame."""

    SNAPSHOT = 1
    DELTA = 2


class SectionType(IntEnum):
    """First byte of a section."""

    TARGETS = 1
    TARGETS_GONE = 2
    STATICS = 3
    SENSORS = 4
    GATEWAYS = 5
    SENSORS_GONE = 6
    WARMING = 7


class TargetRow(NamedTuple):
    """One target, quantised as the columns carry it; ``observed_at_ns`` becomes its age when a frame is made."""

    mmsi: int
    lon_e7: int
    lat_e7: int
    sog_tenths: int
    cog_tenths: int
    bits: int
    observed_at_ns: int


class Section(NamedTuple):
    """One section of a frame."""

    type: int
    body: bytes


def pack_target(
    mmsi: int,
    lon_deg: float,
    lat_deg: float,
    observed_at_ns: int,
    *,
    sog_kn: float | None = None,
    cog_deg: float | None = None,
    heading_deg: int | None = None,
    nav_status: int | None = None,
    station: AisStation = AisStation.UNKNOWN,
) -> TargetRow:
    """Quantise one target.

    Args:
        mmsi: 0 to 4,294,967,295.
        lon_deg: degrees WGS 84, -180 to 180.
        lat_deg: degrees WGS 84, -90 to 90.
        observed_at_ns: UTC ns that the position was observed at.
        sog_kn: kn, 0 to 6,553.4; None is not available.
        cog_deg: degrees true; None is not available.
        heading_deg: degrees true, 0 to 359; None is not available.
        nav_status: 0 to 14; None is not available.
        station: kind of sender.
    """
    sog = NOT_AVAILABLE_U16 if sog_kn is None else min(max(round(sog_kn * 10), 0), NOT_AVAILABLE_U16 - 1)
    cog = NOT_AVAILABLE_U16 if cog_deg is None else round(cog_deg * 10) % 3600
    heading = NOT_AVAILABLE_HEADING if heading_deg is None else heading_deg % 360
    status = NOT_AVAILABLE_STATUS if nav_status is None else min(max(nav_status, 0), NOT_AVAILABLE_STATUS)
    bits = heading | status << 9 | STATION_CODES[station] << 13
    return TargetRow(mmsi, round(lon_deg * 1e7), round(lat_deg * 1e7), sog, cog, bits, observed_at_ns)


def encode_targets(rows: Sequence[TargetRow], now_ns: int) -> Section:
    """Encode section 1.

    Args:
        rows: the targets, any number.
        now_ns: the frame's server time, UTC ns.
    """
    n = len(rows)
    if not rows:
        return Section(SectionType.TARGETS, struct.pack("<I", 0))
    mmsi, lon, lat, sog, cog, bits, observed = zip(*rows, strict=True)
    ages = [min(max((now_ns - at_ns) // 100_000_000, 0), MAX_AGE_TENTHS) for at_ns in observed]
    # one format for all columns: "<" switches alignment off, so that no padding appears between them
    body = struct.pack(f"<I{n}I{n}i{n}i{n}H{n}H{n}H{n}H", n, *mmsi, *lon, *lat, *sog, *cog, *bits, *ages)
    return Section(SectionType.TARGETS, body)


def encode_gone(mmsis: Sequence[int]) -> Section:
    """Encode section 2, the targets that are gone."""
    return Section(SectionType.TARGETS_GONE, struct.pack(f"<I{len(mmsis)}I", len(mmsis), *mmsis))


def encode_json(kind: SectionType, items: Sequence[object]) -> Section:
    """Encode a JSON section from values that msgspec can encode (``msgspec.Raw`` passes as it is)."""
    return Section(kind, _JSON.encode(items))


def encode_frame(kind: FrameKind, epoch: int, tick: int, now_ns: int, sections: Sequence[Section]) -> bytes:
    """Join header and sections.

    Args:
        kind: snapshot or delta.
        epoch: u32, random per start of the server.
        tick: u32, rises with every frame.
        now_ns: server time, UTC ns; travels as f64 milliseconds.
        sections: in the order they are to be read.
    """
    parts = [HEADER.pack(WIRE_VERSION, kind, len(sections), epoch, tick, 0, now_ns / 1e6)]
    for section in sections:
        parts.append(SECTION.pack(section.type, 0, 0, len(section.body)))
        parts.append(section.body)
    return b"".join(parts)
