"""The live wire against its golden frames, which the control room's decoder reads too."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from cloud_api.live import wire
from contracts.payloads import AisStation
from tests.support.live_wire import BadFrameError, Frame, decode

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "live_wire_vectors.json").read_text(encoding="utf-8"))
OF_THIS_SERVER = [vector for vector in VECTORS["vectors"] if not vector["expected"]["unknown_sections"]]


def _encode_again(frame: Frame) -> bytes:
    now_ns = round(frame.server_time_ms * 1e6)
    rows = [
        wire.pack_target(
            target["mmsi"],
            target["lon_deg"],
            target["lat_deg"],
            now_ns - round(target["age_s"] * 1e9),
            sog_kn=target["sog_kn"],
            cog_deg=target["cog_deg"],
            heading_deg=target["heading_deg"],
            nav_status=target["nav_status"],
            station=AisStation(target["station"]),
        )
        for target in frame.targets
    ]
    sections = [
        *([wire.encode_targets(rows, now_ns)] if rows else []),
        *([wire.encode_gone(frame.gone)] if frame.gone else []),
    ]
    for kind, items in (
        (wire.SectionType.STATICS, frame.statics),
        (wire.SectionType.SENSORS, frame.sensors),
        (wire.SectionType.GATEWAYS, frame.gateways),
        (wire.SectionType.SENSORS_GONE, frame.gone_sensors),
    ):
        if items:
            sections.append(wire.encode_json(kind, items))
    return wire.encode_frame(wire.FrameKind[frame.kind.upper()], frame.epoch, frame.tick, now_ns, sections)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_golden_frames_decode_to_what_they_say(vector: dict[str, Any]) -> None:
    assert dataclasses.asdict(decode(bytes.fromhex(vector["hex"]))) == vector["expected"]


@pytest.mark.parametrize("vector", OF_THIS_SERVER, ids=lambda vector: vector["name"])
def test_encoder_writes_the_golden_frames_byte_for_byte(vector: dict[str, Any]) -> None:
    assert _encode_again(Frame(**vector["expected"])).hex() == vector["hex"]


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: vector["name"])
def test_frames_that_are_none_are_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(BadFrameError):
        decode(bytes.fromhex(vector["hex"]))
