"""Crane and berth drivers as real processes against pymodbus's real TCP server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymodbus.constants import ExcCodes

from contracts.payloads import BerthSample, CraneCycle, CraneSample
from edge_agent.parsers.registers import Value
from firmware_configs.loading import PROFILES_DIR, read_profile
from firmware_configs.registers import RegisterMap
from tests.support.handover_gateway import HandOverGateway
from tests.support.plc_server import PlcServer
from tests.support.processes import free_port
from tests.system.edge_agent.conftest import StartDriver

pytestmark = pytest.mark.system

LIFT: dict[str, Value] = {
    "hoist_load_t": 31.4, "is_spreader_locked": True, "is_spreader_landed": False, "trolley_m": 22.5,
    "hoist_m": 18.25, "gantry_m": 412.07, "wind_mps": 9.3, "is_twin": True,
}  # fmt: skip


@asynccontextmanager
async def plc(name: str, values: Mapping[str, Value]) -> AsyncIterator[PlcServer]:
    register_map = read_profile(PROFILES_DIR / "hardware" / "registers" / f"{name}.yaml", RegisterMap)
    server = PlcServer(register_map, values, free_port())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def crane(port: int, registers: str = "sts-plc-a", **more: Any) -> dict[str, Any]:
    link = {"kind": "tcp", "host": "127.0.0.1", "port": port, "connect_timeout_s": 1}
    return {"source": "crane-1", "driver": "quay_crane", "place": "sts-1", "registers": registers, "link": link} | more


def samples(gateway: HandOverGateway) -> list[CraneSample]:
    return [observation.payload for observation in gateway.all() if isinstance(observation.payload, CraneSample)]


def lifts(gateway: HandOverGateway) -> list[CraneCycle]:
    return [observation.payload for observation in gateway.all() if isinstance(observation.payload, CraneCycle)]


@pytest.mark.parametrize("registers", ["sts-plc-a", "sts-plc-b"])
async def test_a_crane_of_either_family_is_read_and_only_read(
    gateway: HandOverGateway, start_driver: StartDriver, registers: str
) -> None:
    async with plc(registers, LIFT) as server:
        driver = await start_driver(crane(server.port, registers))
        await gateway.until(lambda: samples(gateway), 10, "a sample")
        counters = {"cycle_no": 0, "plc_boot_no": 0} if registers == "sts-plc-a" else {}
        assert samples(gateway)[0] == CraneSample(**LIFT, **counters)  # type: ignore[arg-type]  # names and types of the contract
        assert gateway.all()[0].place == "sts-1"
        server.show(LIFT | {"hoist_load_t": 0.0, "is_spreader_locked": False})
        await gateway.until(lambda: samples(gateway)[-1].hoist_load_t == 0.0, 3, "the change")
        assert samples(gateway)[-1].is_spreader_locked is False
        assert await driver.stop() == 0
        assert set(server.function_codes) <= {1, 2, 3, 4}


async def test_a_steady_crane_is_polled_at_its_rate_and_told_once_a_heartbeat(
    gateway: HandOverGateway, start_driver: StartDriver
) -> None:
    async with plc("sts-plc-b", LIFT) as server:
        await start_driver(crane(server.port, "sts-plc-b", sample_hz=10, heartbeat_s=1))
        await gateway.until(lambda: len(samples(gateway)) == 5, 15, "five samples")
        first, last = gateway.all()[0], gateway.all()[4]
        seconds = (last.mono_ns - first.mono_ns) / 1e9
        assert 3.5 <= seconds <= 4.5, "a heartbeat a second"
        assert 0.7 * 40 <= len(server.function_codes) <= 1.3 * 50, "ten polls of one read a second"


async def test_a_value_out_of_range_is_null_and_counted(gateway: HandOverGateway, start_driver: StartDriver) -> None:
    async with plc("sts-plc-a", LIFT) as server:
        server.poke("input_register", 7, 0xFFFF)
        await start_driver(crane(server.port))
        await gateway.until(lambda: samples(gateway), 10, "a sample")
        assert samples(gateway)[0].wind_mps is None
        assert samples(gateway)[0].hoist_load_t == 31.4
        await gateway.until(lambda: gateway.heartbeats[-1].rejected.get("out_of_range:wind_mps"), 5, "it is counted")


async def test_a_silent_plc_is_a_lost_link_within_seconds_and_comes_back(
    gateway: HandOverGateway, start_driver: StartDriver
) -> None:
    async with plc("sts-plc-a", LIFT) as server:
        driver = await start_driver(crane(server.port))
        await gateway.until(lambda: gateway.heartbeats and gateway.heartbeats[-1].is_link_up, 10, "the link is up")
        server.is_silent = True
        await gateway.until(lambda: not gateway.heartbeats[-1].is_link_up, 4, "the link is down")
        assert "no answer within 1 s" in gateway.heartbeats[-1].last_error
        server.is_silent = False
        await gateway.until(lambda: gateway.heartbeats[-1].is_link_up, 20, "the link is up again")
        assert len(driver.events("link_lost")) == 1


async def test_a_plc_that_refuses_stays_connected_with_its_error(
    gateway: HandOverGateway, start_driver: StartDriver
) -> None:
    async with plc("sts-plc-a", LIFT) as server:
        server.refusal = ExcCodes.DEVICE_BUSY
        driver = await start_driver(crane(server.port))
        reason = "modbus_exception_6"
        await gateway.until(
            lambda: gateway.heartbeats and gateway.heartbeats[-1].rejected.get(reason), 10, "it is counted"
        )
        assert gateway.heartbeats[-1].is_link_up
        assert "exception 6" in gateway.heartbeats[-1].last_error
        assert samples(gateway) == []
        server.refusal = None
        await gateway.until(lambda: samples(gateway), 5, "a sample")
        assert len(driver.events("plc_refuses")) == len(driver.events("plc_answers_again")) == 1


async def test_a_plc_that_is_not_there_yet_is_found(gateway: HandOverGateway, start_driver: StartDriver) -> None:
    port = free_port()
    await start_driver(crane(port))
    await gateway.until(lambda: gateway.heartbeats and gateway.heartbeats[-1].last_error, 10, "an error")
    assert f"127.0.0.1:{port}" in gateway.heartbeats[-1].last_error
    register_map = read_profile(PROFILES_DIR / "hardware" / "registers" / "sts-plc-a.yaml", RegisterMap)
    server = PlcServer(register_map, LIFT, port)
    await server.start()
    await gateway.until(lambda: samples(gateway), 20, "a sample")
    await server.stop()
    await gateway.until(lambda: not gateway.heartbeats[-1].is_link_up, 5, "the link is down when the PLC goes")


async def test_a_berth_tells_its_hooks_and_laser(gateway: HandOverGateway, start_driver: StartDriver) -> None:
    values: dict[str, Value] = {f"hook_tension_kn[{hook}]": 100.0 + hook for hook in range(6)}
    values |= {"distance_m": 12.345, "approach_speed_mps": -0.052}
    async with plc("berth-hooks", values) as server:
        link = {"kind": "tcp", "host": "127.0.0.1", "port": server.port}
        await start_driver(
            {"source": "hooks", "driver": "berth", "place": "norte-1", "registers": "berth-hooks", "link": link}
        )
        await gateway.until(gateway.all, 10, "a sample")
        expected = BerthSample([100.0, 101.0, 102.0, 103.0, 104.0, 105.0], 12.345, -0.052)
        assert gateway.all()[0].payload == expected


async def test_a_lift_is_told_once_whatever_the_connection_and_the_plc_do_meanwhile(
    gateway: HandOverGateway, start_driver: StartDriver
) -> None:
    """Locked and hoisted; the PLC goes and comes back as another start, counter at 0; carried, landed, unlocked."""
    aground = LIFT | {"hoist_load_t": 0.0, "is_spreader_landed": True}
    counters: dict[str, Value] = {"cycle_no": 17, "plc_boot_no": 3}
    async with plc("sts-plc-a", aground | {"is_spreader_locked": False} | counters) as server:
        await start_driver(crane(server.port, cycle={"contact_hold_s": 0.3, "load_hold_s": 0.3}))
        await gateway.until(lambda: samples(gateway), 10, "a sample")
        for step in ({"is_spreader_locked": False}, {}):
            server.show(aground | counters | step)
            await asyncio.sleep(1.0)
        server.show(LIFT | counters)
        await asyncio.sleep(1.5)
        await server.stop()
        await gateway.until(lambda: not gateway.heartbeats[-1].is_link_up, 5, "the link is down")
        counters = {"cycle_no": 0, "plc_boot_no": 4}
        server.show(LIFT | counters | {"trolley_m": 2.0})
        await server.start()
        await gateway.until(lambda: gateway.heartbeats[-1].is_link_up, 20, "the link is up again")
        await asyncio.sleep(1.0)
        landed = aground | {"trolley_m": -14.0}
        server.show(landed | counters)
        await asyncio.sleep(1.0)
        server.show(landed | {"is_spreader_locked": False, "cycle_no": 1, "plc_boot_no": 4})
        await gateway.until(lambda: lifts(gateway), 5, "the lift")
        await asyncio.sleep(1.0)
        (cycle,) = lifts(gateway)
        assert (cycle.plc_boot_id, cycle.cycle_no) == ("plc-4", 1)
        assert (cycle.gross_t, cycle.direction, cycle.is_lock_seen) == (31.4, "discharge", True)
