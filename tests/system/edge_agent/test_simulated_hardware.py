"""The demonstration hardware as drivers meet it: a real process, real serial lines, TCP and Modbus."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from contracts.errors import LinkError
from contracts.payloads import Ais, Depth, GnssFix, Payload, Wind
from contracts.radar import RadarTarget
from edge_agent.links.modbus_reader import ModbusReader
from edge_agent.parsers.berth_ascii import BerthAsciiParser, Hooks
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from edge_agent.parsers.register_reads import ReadBlock
from edge_agent.parsers.registers import decode_value, width
from firmware_configs.links import SerialLink
from firmware_configs.loading import PROFILES_DIR, read_profile
from firmware_configs.registers import RegisterMap

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent.parent.parent
START_TIMEOUT_S = 20.0
MAPS = {
    "sts-1": "sts-plc-a",
    "sts-2": "sts-plc-a",
    "sts-3": "sts-plc-b",
    "sts-4": "sts-plc-b",
    "berth-hooks": "berth-hooks",
}
Links = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def hardware(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Links]:
    process, path = start(tmp_path_factory.mktemp("simulation"))
    try:
        yield json.loads(path.read_text())
    finally:
        process.kill()
        process.wait(10)


def start(folder: Path, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
    path = folder / "endpoints.json"
    command = [sys.executable, "-m", "edge_agent", "simulate", "--site", "puerto-demo", "--out", str(path), *arguments]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stderr=log)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not path.exists():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, "no endpoints file"
        time.sleep(0.05)
    return process, path


def read_serial(device: str, seconds: float) -> list[Payload]:
    """Read a tty as a driver does and decode it; every byte must be understood."""
    decoder, payloads = NmeaDecoder(), []
    line = os.open(device, os.O_RDONLY | os.O_NOCTTY)
    try:
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            if select.select([line], [], [], rest)[0]:
                now_ns = time.monotonic_ns()
                payloads += [decoded.payload for decoded in decoder.feed(os.read(line, 4096), now_ns)]
    finally:
        os.close(line)
    payloads += [decoded.payload for decoded in decoder.close(time.monotonic_ns())]
    assert not decoder.rejected
    return payloads


def test_the_endpoints_are_links_of_a_device_profile(hardware: Links) -> None:
    assert set(hardware) == {"ais", "wind", "depth", "radar", "gnss", "berth-bus", "berth-text", *MAPS}
    assert hardware["ais"]["kind"] == hardware["depth"]["kind"] == "serial"
    assert (hardware["ais"]["baud"], hardware["depth"]["baud"]) == (38400, 4800)
    assert all(hardware[source]["host"] == "127.0.0.1" for source in ("wind", *MAPS))


def test_a_reader_of_the_ais_line_soon_hears_the_whole_port(hardware: Links) -> None:
    messages = [message for message in read_serial(hardware["ais"]["device"], 22.0) if isinstance(message, Ais)]
    moving = {message.mmsi for message in messages if message.sog_kn is not None and message.sog_kn >= 0.5}
    named = {message.mmsi for message in messages if message.name}
    assert len(moving) >= 12
    assert len(named) >= 18
    assert {message.msg_type for message in messages} >= {1, 4, 5, 18, 21, 24}


def test_a_second_reader_after_the_first_hears_it_again(hardware: Links) -> None:
    """A driver that was killed and restarted must not wait three minutes for a moored ship, six for a name."""
    read_serial(hardware["ais"]["device"], 0.5)
    # a process takes longer than this to start; the simulation looks ten times a second whether anybody reads
    time.sleep(0.5)
    messages = [message for message in read_serial(hardware["ais"]["device"], 11.5) if isinstance(message, Ais)]
    assert len({message.mmsi for message in messages if message.lon_deg is not None}) >= 24


def test_the_echo_sounder_sends_depth(hardware: Links) -> None:
    depths = [message for message in read_serial(hardware["depth"]["device"], 3.5) if isinstance(message, Depth)]
    assert len(depths) >= 2
    assert all(depth.below_transducer_m is not None and 15 < depth.below_transducer_m < 16.5 for depth in depths)


def test_the_tower_s_receiver_tells_time_and_place(hardware: Links) -> None:
    fixes = [message for message in read_serial(hardware["gnss"]["device"], 3.0) if isinstance(message, GnssFix)]
    now_ns = time.time_ns()
    told = [fix.utc_ns for fix in fixes if fix.utc_ns is not None]
    assert told
    assert abs(now_ns - told[-1]) < 3e9
    assert any(fix.lon_deg is not None and fix.quality == 1 for fix in fixes)


async def test_the_radar_sends_its_targets(hardware: Links) -> None:
    reader, writer = await asyncio.open_connection(hardware["radar"]["host"], hardware["radar"]["port"])
    decoder = NmeaDecoder()
    numbers: set[int] = set()
    async with asyncio.timeout(20):
        while len(numbers) < 15:
            for decoded in decoder.feed(await reader.read(4096), time.monotonic_ns()):
                if isinstance(decoded.payload, RadarTarget):
                    numbers.add(decoded.payload.target_no)
    writer.close()
    assert not decoder.rejected
    assert max(numbers) > 99


async def test_the_mast_sends_wind(hardware: Links) -> None:
    reader, writer = await asyncio.open_connection(hardware["wind"]["host"], hardware["wind"]["port"])
    decoder = NmeaDecoder()
    payloads: list[Payload] = []
    async with asyncio.timeout(15):
        while len(payloads) < 6:
            payloads += [decoded.payload for decoded in decoder.feed(await reader.read(4096), time.monotonic_ns())]
    writer.close()
    assert not decoder.rejected
    winds = [payload for payload in payloads if isinstance(payload, Wind)]
    assert len(winds) >= 3
    assert all(0 < (wind.speed_mps or 0) < 30 for wind in winds)


@asynccontextmanager
async def master(link: dict[str, Any]) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(link["host"], port=link["port"])
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def poll(client: AsyncModbusTcpClient, plc: RegisterMap) -> dict[str, float | bool | None]:
    values: dict[str, float | bool | None] = {}
    for tag in plc.tags:
        if tag.table == "discrete_input":
            answer = await client.read_discrete_inputs(tag.address, count=1, device_id=1)
            words = [int(answer.bits[0])]
        else:
            read = client.read_input_registers if tag.table == "input_register" else client.read_holding_registers
            answer = await read(tag.address, count=width(tag), device_id=1)
            words = list(answer.registers)
        assert not answer.isError(), tag.field
        values[tag.field], reason = decode_value(tag, plc.word_order, words)
        assert not reason, tag.field
    return values


@pytest.mark.parametrize("source", sorted(MAPS))
async def test_each_plc_shows_values_that_change(hardware: Links, source: str) -> None:
    plc = read_profile(PROFILES_DIR / "hardware" / "registers" / f"{MAPS[source]}.yaml", RegisterMap)
    field = "hook_tension_kn[0]" if source == "berth-hooks" else "hoist_load_t"
    seen: set[object] = set()
    await asyncio.sleep(1)  # the world makes its first step; before it the laser has seen nothing
    async with master(hardware[source]) as client, asyncio.timeout(30):
        while len(seen) < 3:
            values = await poll(client, plc)
            seen.add(values[field])
            await asyncio.sleep(0.3)
    assert all(value is not None for value in values.values())


async def test_a_plc_refuses_writes_and_addresses_that_it_lacks(hardware: Links) -> None:
    async with master(hardware["sts-1"]) as client:
        assert (await client.write_register(0, 1, device_id=1)).isError()
        assert (await client.write_coil(0, True, device_id=1)).isError()
        answer = await client.read_input_registers(10, count=2, device_id=1)
        assert answer.isError()
        assert answer.exception_code == 2


async def test_the_bus_answers_for_its_units_and_stays_silent_for_others(hardware: Links) -> None:
    link = SerialLink.model_validate(hardware["berth-bus"])
    reader = ModbusReader(link, 0.5)
    await reader.open()
    try:
        hooks = await reader.read(1, ReadBlock("holding_register", 40, 16))
        assert any(hooks[:12]), "a ship lies there"
        (level_mm,) = await reader.read(2, ReadBlock("input_register", 0, 1))
        assert level_mm < 1500
        with pytest.raises(LinkError, match="no answer"):
            await reader.read(9, ReadBlock("input_register", 0, 1))
    finally:
        await reader.close()


def test_the_text_cabinet_speaks_every_second(hardware: Links) -> None:
    parser, readings = BerthAsciiParser(is_level=False), []
    line = os.open(hardware["berth-text"]["device"], os.O_RDONLY | os.O_NOCTTY)
    try:
        end = time.monotonic() + 3.5
        while (rest := end - time.monotonic()) > 0:
            if select.select([line], [], [], rest)[0]:
                readings += parser.feed(os.read(line, 4096))
    finally:
        os.close(line)
    assert not parser.rejects.counts
    assert 2 <= sum(isinstance(reading, Hooks) for reading in readings) <= 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    process, path = start(tmp_path)
    links: Links = json.loads(path.read_text())
    line = os.open(links["ais"]["device"], os.O_RDONLY | os.O_NOCTTY)
    try:
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 2.0
    finally:
        process.kill()
        os.close(line)
    assert not path.exists()
    assert not Path(links["ais"]["device"]).exists()
    assert "simulation_stopped" in (tmp_path / "log").read_text()


def test_a_higher_rate_sails_faster(tmp_path: Path) -> None:
    process, path = start(tmp_path, "--rate", "20")
    try:
        messages = [
            message
            for message in read_serial(json.loads(path.read_text())["ais"]["device"], 6.0)
            if isinstance(message, Ais) and message.mmsi == 636990112 and message.lat_deg is not None
        ]
    finally:
        process.kill()
        process.wait(10)
    assert len(messages) >= 6
    way_m = abs((messages[-1].lat_deg or 0) - (messages[0].lat_deg or 0)) * 111_000
    assert way_m > 300
