"""Modbus RTU: driver processes on a real tty, pymodbus's RTU server behind it, units that die, a cable that goes."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusSerialClient

from contracts.errors import LinkError
from contracts.payloads import BerthSample, CraneCycle, CraneSample, WaterLevel
from edge_agent.links import modbus_reader
from edge_agent.links.modbus_reader import ModbusReader
from edge_agent.parsers.register_reads import ReadBlock
from edge_agent.parsers.registers import Value
from edge_agent.simulation.modbus_plc import ModbusPlc
from edge_agent.simulation.rtu_bus import RtuBus
from firmware_configs.links import SerialLink
from firmware_configs.loading import PROFILES_DIR, read_profile
from firmware_configs.registers import RegisterMap
from tests.support.handover_gateway import HandOverGateway
from tests.system.edge_agent.conftest import StartDriver

pytestmark = pytest.mark.system

REGISTERS = PROFILES_DIR / "hardware" / "registers"
HZ = 5
TIMEOUT_S = 0.3


class Quay:
    """Two cabinets and a tide gauge on one bus; each value changes with every request."""

    def __init__(self) -> None:
        self.asked = 0
        maps = {1: "berth-hooks-rtu", 2: "berth-hooks-rtu", 3: "tide-gauge"}
        self.plcs = [ModbusPlc(load(name), unit_id, self.values) for unit_id, name in maps.items()]
        self.bus = RtuBus(self.plcs, 19200)

    def values(self) -> dict[str, float | bool]:
        self.asked += 1
        return {
            "hook_tension_kn[0]": 100.0 + 5 * (self.asked % 2),
            "laser_distance_m[0]": 12.0,
            "level_m": 0.5 + 0.1 * (self.asked % 2),
        }

    def source(self, **more: Any) -> dict[str, Any]:
        units = [
            {"unit_id": 1, "registers": "berth-hooks-rtu", "line_breaking_load_kn": 1000},
            {"unit_id": 2, "registers": "berth-hooks-rtu", "place": "norte-3"},
            {"unit_id": 3, "registers": "tide-gauge", "place": "tide-gauge"},
        ]
        return {
            "source": "bus", "driver": "berth", "place": "norte-2", "link": self.bus.link(), "units": units,
            "sample_hz": HZ, "heartbeat_s": 0.2, "answer_timeout_s": TIMEOUT_S,
        } | more  # fmt: skip


def load(name: str) -> RegisterMap:
    return read_profile(REGISTERS / f"{name}.yaml", RegisterMap)


@asynccontextmanager
async def quay() -> AsyncIterator[Quay]:
    one = Quay()
    await one.bus.open()
    try:
        yield one
    finally:
        await one.bus.close()


def of_place(gateway: HandOverGateway, place: str) -> list[Any]:
    return [observation for observation in gateway.all() if observation.place == place]


async def test_every_unit_of_a_bus_is_told_at_its_place(gateway: HandOverGateway, start_driver: StartDriver) -> None:
    async with quay() as one:
        driver = await start_driver(one.source())
        await gateway.until(lambda: {observation.place for observation in gateway.all()} == {
            "norte-2", "norte-3", "tide-gauge"}, 10, "all three places")  # fmt: skip
        first = of_place(gateway, "norte-2")[0].payload
        assert isinstance(first, BerthSample)
        assert first.hook_tension_kn[0] in (100.0, 105.0)
        assert first.hook_load_pct is not None
        assert first.hook_load_pct[0] in (10.0, 10.5)
        assert first.distance_m == 0.0, "the nearest of two lasers"
        other = of_place(gateway, "norte-3")[0].payload
        assert isinstance(other, BerthSample)
        assert other.hook_load_pct is None
        level = of_place(gateway, "tide-gauge")[0].payload
        assert isinstance(level, WaterLevel)
        assert level.level_m in (0.5, 0.6)
        assert await driver.stop() == 0


async def test_a_dead_unit_costs_its_neighbours_one_timeout_a_backoff(
    gateway: HandOverGateway, start_driver: StartDriver
) -> None:
    """0 to 4 s all well; then unit 2 is dead for 12 s: 2 s, 4 s and 8 s of backoff; then it answers again."""
    async with quay() as one:
        driver = await start_driver(one.source())
        await gateway.until(lambda: len(of_place(gateway, "norte-3")) > 3, 10, "all units answer")
        await asyncio.sleep(4)
        before = one.bus.requests.copy()
        one.bus.dead.add(2)
        await asyncio.sleep(12)
        asked = one.bus.requests - before
        assert 2 <= asked[2] <= 4, "asked once a backoff"
        assert asked[1] > 0.85 * 12 * HZ
        assert asked[3] > 0.85 * 12 * HZ
        heartbeat = gateway.heartbeats[-1]
        assert heartbeat.is_link_up
        assert "unit 2" in heartbeat.last_error
        assert 2 <= heartbeat.rejected["plc_timeout"] <= 4
        times = [observation.mono_ns / 1e9 for observation in of_place(gateway, "norte-2")]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert max(gaps) < 1 / HZ + TIMEOUT_S + 0.35
        one.bus.dead.clear()
        await gateway.until(lambda: not gateway.heartbeats[-1].last_error, 20, "unit 2 answers again")
        assert len(driver.events("plc_silent")) == len(driver.events("plc_answers_again")) == 1
        assert not driver.events("link_lost")


async def test_a_bus_without_any_answer_is_a_lost_link_and_comes_back(
    gateway: HandOverGateway, start_driver: StartDriver
) -> None:
    async with quay() as one:
        await start_driver(one.source())
        await gateway.until(lambda: gateway.heartbeats and gateway.heartbeats[-1].is_link_up, 10, "the link is up")
        one.bus.dead |= {1, 2, 3}
        await gateway.until(lambda: not gateway.heartbeats[-1].is_link_up, 8, "the link is down")
        one.bus.dead.clear()
        await gateway.until(lambda: gateway.heartbeats[-1].is_link_up, 20, "the link is up again")


async def test_a_cable_that_is_pulled_and_put_back_is_read_within_seconds(
    gateway: HandOverGateway, start_driver: StartDriver, tmp_path: Path
) -> None:
    """The port has a name of udev's: a link to whatever tty the adapter has become."""
    port = tmp_path / "berth-bus"
    first = Quay()
    await first.bus.open()
    port.symlink_to(first.bus.device)
    link = {"kind": "serial", "device": str(port), "baud": 19200}
    await start_driver(first.source(link=link))
    await gateway.until(lambda: gateway.heartbeats and gateway.heartbeats[-1].is_link_up, 10, "the link is up")
    await first.bus.close()
    port.unlink()
    await gateway.until(lambda: not gateway.heartbeats[-1].is_link_up, 3, "the link is down")
    async with quay() as second:
        port.symlink_to(second.bus.device)
        count = len(gateway.all())
        await gateway.until(lambda: len(gateway.all()) > count, 5, "it is read within 5 s")


async def test_two_cranes_on_a_bus_tell_their_own_lifts(gateway: HandOverGateway, start_driver: StartDriver) -> None:
    """The same lift on both, shown step by step; one record of each."""
    shown: dict[str, Value] = {}
    plcs = [ModbusPlc(load(f"sts-plc-{family}"), unit, lambda: shown) for unit, family in ((1, "a"), (2, "b"))]
    bus = RtuBus(plcs, 19200)
    await bus.open()
    units = [{"unit_id": unit, "registers": f"sts-plc-{family}", "place": f"sts-{unit}"} for unit, family in
             ((1, "a"), (2, "b"))]  # fmt: skip
    rules = {"contact_hold_s": 0.3, "load_hold_s": 0.3}
    source = {"source": "cranes", "driver": "quay_crane", "link": bus.link(), "units": units, "cycle": rules}
    steps: list[dict[str, Value]] = [
        {"plc_boot_no": 7, "cycle_no": 41, "trolley_m": 30.0, "is_spreader_landed": True},
        {"is_spreader_locked": True},
        {"is_spreader_landed": False, "hoist_load_t": 24.5},
        {"trolley_m": -14.0},
        {"is_spreader_landed": True, "hoist_load_t": 0.0},
        {"is_spreader_locked": False, "cycle_no": 42},
    ]
    try:
        shown |= steps[0]
        await start_driver(source)
        await gateway.until(lambda: len({one.place for one in gateway.all()}) == 2, 10, "both cranes")
        for step in steps:
            shown |= step
            await asyncio.sleep(1.2)

        def cycles() -> dict[str | None, CraneCycle]:
            return {one.place: one.payload for one in gateway.all() if isinstance(one.payload, CraneCycle)}

        await gateway.until(lambda: len(cycles()) == 2, 5, "a lift of each")
    finally:
        await bus.close()
    first, second = cycles()["sts-1"], cycles()["sts-2"]
    assert (first.plc_boot_id, first.cycle_no) == ("plc-7", 42)
    assert second.plc_boot_id.startswith("r")
    for cycle in (first, second):
        assert (cycle.gross_t, cycle.direction, cycle.kind) == (24.5, "discharge", "container")
        assert cycle.is_lock_seen
    samples = [one.payload for one in gateway.all() if isinstance(one.payload, CraneSample)]
    assert any(sample.hoist_load_t == 24.5 for sample in samples)


async def test_a_write_never_reaches_the_serial_line() -> None:
    """The fence stands in the client itself: asked to write behind the port's back, nothing becomes bytes."""
    async with quay() as one:
        reader = ModbusReader(SerialLink(kind="serial", device=one.bus.device, baud=19200), TIMEOUT_S)
        await reader.open()
        client = reader._client
        assert isinstance(client, AsyncModbusSerialClient)
        for write in (client.write_register(0, 1, device_id=1), client.write_coils(0, [True], device_id=1)):
            with pytest.raises(AssertionError, match="would write"):
                await write
        assert not one.bus.requests
        assert len(await reader.read(3, ReadBlock("input_register", 0, 1))) == 1
        await reader.close()


async def test_without_the_fence_a_write_would_reach_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the test above."""
    monkeypatch.setattr(modbus_reader, "READ_FUNCTIONS", frozenset(range(1, 128)))
    async with quay() as one:
        reader = ModbusReader(SerialLink(kind="serial", device=one.bus.device, baud=19200), TIMEOUT_S)
        await reader.open()
        assert reader._client is not None
        answer = await reader._client.write_register(0, 1, device_id=1)
        assert answer.isError(), "the simulated PLC refuses too"
        assert one.bus.requests[1] == 1
        await reader.close()


async def test_a_port_that_is_not_there_is_told(tmp_path: Path) -> None:
    reader = ModbusReader(SerialLink(kind="serial", device=str(tmp_path / "none")), TIMEOUT_S)
    with pytest.raises(LinkError) as caught:
        await reader.open()
    assert caught.value.reason == "refused"
    master, slave = os.openpty()
    try:
        odd = ModbusReader(SerialLink(kind="serial", device=os.ttyname(slave), parity="E"), TIMEOUT_S)
        with pytest.raises(LinkError):
            await odd.open()
    finally:
        os.close(master)
        os.close(slave)
