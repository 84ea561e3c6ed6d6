import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from pydantic import TypeAdapter

from contracts.errors import ConfigError
from contracts.payloads import (
    Ais,
    BerthSample,
    CraneSample,
    Depth,
    GnssFix,
    Payload,
    WaterLevel,
    WaterSpeed,
    Weather,
    Wind,
)
from contracts.radar import RadarTarget
from edge_agent.channels import Channel
from edge_agent.clock import Moment
from edge_agent.drivers.berth import channels as berth
from edge_agent.drivers.nmea import channels as nmea
from edge_agent.drivers.quay_crane import channels as quay_crane
from edge_agent.drivers.registry import DRIVERS, make_session
from edge_agent.drivers.vitals import Vitals
from firmware_configs.hardware_profile import BerthAsciiSource, BerthSource, NmeaSource, QuayCraneSource, Source
from firmware_configs.loading import read_profile
from firmware_configs.registers import RegisterMap

ROOT = Path(__file__).parent.parent.parent.parent
MAPS = ROOT / "firmware_configs" / "hardware" / "registers"
LINK = {"kind": "tcp", "host": "127.0.0.1", "port": 502}


class NoSink:
    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        raise AssertionError(payload, raw, at, place)

    def watch(self, payload: Payload, at: Moment, place: str | None = None) -> None:
        raise AssertionError(payload, at, place)

    async def room(self) -> None:
        return


def source(**values: Any) -> Source:
    adapter: TypeAdapter[Source] = TypeAdapter(Source)
    return adapter.validate_python({"source": "bench", "link": LINK} | values)


def test_every_kind_of_source_has_its_driver() -> None:
    kinds = {
        get_args(model.model_fields["driver"].annotation)[0]
        for model in (NmeaSource, QuayCraneSource, BerthSource, BerthAsciiSource)
    }
    assert set(DRIVERS) == kinds


@pytest.mark.parametrize("values", [
    {"driver": "nmea"},
    {"driver": "quay_crane", "registers": "sts-plc-a"},
    {"driver": "berth", "registers": "berth-hooks"},
    {"driver": "berth_ascii", "protocol": "sentences"},
])  # fmt: skip
def test_a_driver_is_made_of_its_settings(values: dict[str, Any]) -> None:
    if "registers" in values:
        values = values | {"registers": read_profile(MAPS / f"{values['registers']}.yaml", RegisterMap)}
    session = make_session(source(**values), NoSink(), Vitals(0.0))
    assert session.open_timeout_s >= 5


def test_a_map_of_other_hardware_is_the_operator_s_to_correct() -> None:
    hooks = read_profile(MAPS / "berth-hooks.yaml", RegisterMap)
    with pytest.raises(ConfigError, match="is for berth_sample"):
        make_session(source(driver="quay_crane", registers=hooks), NoSink(), Vitals(0.0))
    crane = read_profile(MAPS / "sts-plc-a.yaml", RegisterMap)
    with pytest.raises(ConfigError, match="is for crane_sample"):
        make_session(source(driver="berth", registers=crane), NoSink(), Vitals(0.0))


def test_a_map_that_was_not_loaded_is_refused() -> None:
    with pytest.raises(ConfigError, match="not loaded"):
        make_session(source(driver="quay_crane", registers="sts-plc-a"), NoSink(), Vitals(0.0))


@pytest.mark.parametrize(("channels", "payload"), [
    (quay_crane.CHANNELS, CraneSample), (berth.CHANNELS, BerthSample), (berth.TIDE_CHANNELS, WaterLevel),
    (nmea.AIS, Ais), (nmea.WIND, Wind),
    (nmea.DEPTH, Depth), (nmea.WEATHER, Weather), (nmea.WATER_SPEED, WaterSpeed), (nmea.GNSS, GnssFix),
    (nmea.RADAR, RadarTarget),
])  # fmt: skip
def test_every_channel_is_a_field_of_its_payload(channels: tuple[Channel, ...], payload: type[msgspec.Struct]) -> None:
    fields = {field.name for field in msgspec.structs.fields(payload)}
    for channel in channels:
        assert channel.field in fields
        assert (channel.unit == "bool") == (channel.minimum is None) == (channel.resolution is None)


@pytest.mark.parametrize(("module", "absent"), [("nmea", "pymodbus"), ("quay_crane", "pyais"), ("berth", "pyais")])
def test_a_process_carries_only_what_it_runs(module: str, absent: str) -> None:
    script = (
        f"import sys, edge_agent.cli.run, edge_agent.drivers.{module}.driver as _; sys.exit('{absent}' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=30, check=False)
    assert done.returncode == 0
