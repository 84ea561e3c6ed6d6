"""A real driver process on a real tty and a real socket."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.handover.source_lock import lock_path, read_holder
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from tests.support.driver_process import ROOT, DriverProcess, write_profiles
from tests.support.handover_gateway import HandOverGateway
from tests.support.processes import free_port
from tests.support.ptys import SensorPty
from tests.support.sentences import wind_numbers, wind_sentence
from tests.system.edge_agent.conftest import StartDriver

pytestmark = pytest.mark.system


def serial(device: str) -> dict[str, Any]:
    return {"source": "wind", "driver": "nmea", "place": "weather-mast",
            "link": {"kind": "serial", "device": device, "baud": 38400}}  # fmt: skip


async def reading(gateway: HandOverGateway, driver: DriverProcess) -> None:
    """Wait until the driver has the tty open; opening discards what was in it."""
    await gateway.until(lambda: driver.events("link_up"), 10, "the link is up")


async def write(pty: SensorPty, first: int, last: int) -> None:
    await asyncio.to_thread(pty.write, b"".join(wind_sentence(number) for number in range(first, last + 1)))


async def test_sentences_arrive_with_place_clock_and_sentence(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty
) -> None:
    driver = await start_driver(serial(pty.device))
    await reading(gateway, driver)
    await write(pty, 1, 3)
    await gateway.until(lambda: len(gateway.all()) == 3, 5, "three observations")
    one = gateway.all()[0]
    assert (one.source, one.place, one.raw) == ("wind", "weather-mast", wind_sentence(1).decode().strip())
    assert gateway.hellos[0].pid == driver.pid == read_holder(lock_path(gateway.path, "wind"))
    await gateway.until(lambda: gateway.heartbeats[-1].is_link_up, 5, "the link is up")
    assert await driver.stop() == 0
    assert [event["event"] for event in driver.events()][-1] == "driver_stopped"


async def test_a_cut_socket_loses_nothing_and_doubles_nothing(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty
) -> None:
    """Six cuts while data flows: three lose the answer to a commit, three the frame itself."""
    gateway.cut_after = [50, 600, 1200]
    gateway.cut_before = [300, 900, 1900]
    driver = await start_driver(serial(pty.device))
    await reading(gateway, driver)
    for first in range(1, 2000, 40):
        await write(pty, first, first + 39)
        await asyncio.sleep(0.02)
    await gateway.until(lambda: len(gateway.all()) >= 2000, 20, "2,000 observations")
    assert wind_numbers(gateway.all()) == list(range(1, 2001))
    assert len(gateway.hellos) == 7
    assert len({hello.run_id for hello in gateway.hellos}) == 1
    assert gateway.dropped >= 3, "the cuts lost nothing: this test has shown nothing"
    assert await driver.stop() == 0
    assert len(driver.events("gateway_lost")) == len(driver.events("gateway_found")) == 6


async def test_a_gateway_that_restarts_gets_what_was_read_meanwhile(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty
) -> None:
    driver = await start_driver(serial(pty.device))
    await reading(gateway, driver)
    await write(pty, 1, 100)
    await gateway.until(lambda: len(gateway.all()) == 100, 10, "100 observations")
    await gateway.stop()
    await write(pty, 101, 400)
    await asyncio.sleep(1)
    await gateway.start()
    await gateway.until(lambda: len(gateway.all()) == 400, 10, "400 observations")
    assert wind_numbers(gateway.all()) == list(range(1, 401))


async def test_a_gateway_that_lost_its_disk_gets_a_new_run(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty
) -> None:
    driver = await start_driver(serial(pty.device))
    await reading(gateway, driver)
    await write(pty, 1, 100)
    await gateway.until(lambda: len(gateway.all()) == 100, 10, "100 observations")
    await gateway.stop()
    gateway.forget()
    await write(pty, 101, 150)
    await gateway.start()
    await gateway.until(lambda: len(gateway.all()) == 50, 10, "what the lost disk did not have")
    assert wind_numbers(gateway.all()) == list(range(101, 151))
    assert len({hello.run_id for hello in gateway.hellos}) == 2
    assert len(driver.events("run_begun_again")) == 1


async def test_a_driver_without_a_gateway_ends_with_75(
    tmp_path: Path, start_driver: StartDriver, pty: SensorPty
) -> None:
    driver = await start_driver(serial(pty.device))
    assert await driver.wait(16) == 75
    assert len(driver.events("gateway_lost")) == 1
    assert len(driver.events("gateway_gone")) == 1
    assert not (tmp_path / "handover.sock").exists()


async def test_sigterm_hands_over_what_is_held(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty
) -> None:
    """The gateway is away when the driver is told to stop, and comes back within its five seconds."""
    driver = await start_driver(serial(pty.device))
    await reading(gateway, driver)
    await write(pty, 1, 10)
    await gateway.until(lambda: len(gateway.all()) == 10, 10, "the driver runs")
    await gateway.stop()
    await write(pty, 11, 60)
    await asyncio.sleep(0.5)
    driver.signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    await gateway.start()
    assert await driver.wait(8) == 0
    assert wind_numbers(gateway.all()) == list(range(1, 61))
    assert driver.events("driver_stopped")[0]["unsent"] == 0


async def test_sigterm_without_a_gateway_ends_in_time_and_says_what_was_not_handed_over(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty
) -> None:
    driver = await start_driver(serial(pty.device))
    await reading(gateway, driver)
    await gateway.stop()
    await write(pty, 1, 5)
    await asyncio.sleep(0.5)
    driver.signal(signal.SIGTERM)
    assert await driver.wait(8) == 0
    assert driver.events("driver_stopped")[0]["unsent"] == 5
    assert len(driver.events("hand_over_unfinished")) == 1


async def test_an_unreadable_tty_is_tried_again_and_its_error_shown(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty, tmp_path: Path
) -> None:
    device = tmp_path / "porttrack-wind"
    driver = await start_driver(serial(str(device)))
    await gateway.until(lambda: gateway.heartbeats and gateway.heartbeats[-1].last_error, 10, "an error in a heartbeat")
    assert not gateway.heartbeats[-1].is_link_up
    assert str(device) in gateway.heartbeats[-1].last_error
    await asyncio.sleep(2.5)
    device.symlink_to(pty.device)  # the adapter is plugged in
    await gateway.until(lambda: gateway.heartbeats[-1].is_link_up, 20, "the link is up")
    assert gateway.heartbeats[-1].last_error == ""
    await write(pty, 1, 1)
    await gateway.until(gateway.all, 5, "an observation")
    assert await driver.stop() == 0
    assert len(driver.events("link_lost")) == 1, "warned once, not once an attempt"
    assert driver.events("link_up")[0]["attempts"] >= 2


async def test_a_refused_tcp_port_is_shown_and_recovers(gateway: HandOverGateway, start_driver: StartDriver) -> None:
    port = free_port()
    link = {"kind": "tcp", "host": "127.0.0.1", "port": port, "connect_timeout_s": 1}
    driver = await start_driver({"source": "wind", "driver": "nmea", "link": link})
    await gateway.until(lambda: gateway.heartbeats and gateway.heartbeats[-1].last_error, 10, "an error in a heartbeat")
    assert f"127.0.0.1:{port}" in gateway.heartbeats[-1].last_error

    async def mast(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wind_sentence(7))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(mast, "127.0.0.1", port)
    await gateway.until(gateway.all, 20, "an observation")
    assert wind_numbers(gateway.all())[:1] == [7]
    assert await driver.stop() == 0
    server.close()


async def test_a_source_has_one_driver_and_the_next_waits_for_it(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty
) -> None:
    first = await start_driver(serial(pty.device))
    await gateway.until(lambda: gateway.hellos, 10, "the first driver runs")
    second = await start_driver(serial(pty.device))
    await asyncio.sleep(2)
    assert [hello.pid for hello in gateway.hellos] == [first.pid]
    first.signal(signal.SIGKILL)
    await gateway.until(lambda: len(gateway.hellos) == 2, 5, "the second driver has the lock")
    assert gateway.hellos[1].pid == second.pid == read_holder(lock_path(gateway.path, "wind"))
    assert gateway.hellos[1].run_id != gateway.hellos[0].run_id


async def test_a_stalled_gateway_fills_the_driver_to_its_cap_and_then_gets_all_of_it(
    gateway: HandOverGateway, start_driver: StartDriver, tmp_path: Path
) -> None:
    """30,000 sentences at full speed, a gateway that does not commit: the driver stops reading, alive."""
    recording = tmp_path / "wind.nmea"
    recording.write_bytes(b"".join(wind_sentence(number) for number in range(1, 30_001)))
    gateway.is_storing = False
    driver = await start_driver(
        {"source": "wind", "driver": "nmea", "link": {"kind": "replay", "path": str(recording), "speed": 0}}
    )
    await gateway.until(lambda: gateway.heartbeats and gateway.heartbeats[-1].pending > 15_000, 20, "a full driver")
    await asyncio.sleep(4)
    assert gateway.heartbeats[-1].pending <= 20_000
    beats = len(gateway.heartbeats)
    gateway.resume()
    await gateway.until(lambda: len(gateway.all()) == 30_000, 30, "all of it")
    assert wind_numbers(gateway.all()) == list(range(1, 30_001))
    await gateway.until(lambda: gateway.heartbeats[-1].last_error == "recording has ended", 5, "the end is shown")
    assert beats >= 4, "a driver that waits for its gateway must go on beating"
    assert "handover_full" not in gateway.heartbeats[-1].rejected
    assert await driver.stop() == 0


async def test_a_recorded_national_feed_is_the_same_set_after_three_cuts(
    gateway: HandOverGateway, start_driver: StartDriver, pty: SensorPty, recordings: Path
) -> None:
    data = (recordings / "ais" / "denmark_national.nmea").read_bytes()
    decoder = NmeaDecoder()
    expected = sorted(item.raw for item in [*decoder.feed(data, 0), *decoder.close(0)])
    gateway.cut_after = [500, 3000]
    gateway.cut_before = [1500]
    driver = await start_driver({**serial(pty.device), "source": "ais"})
    await reading(gateway, driver)
    await asyncio.to_thread(pty.write, data if data.endswith(b"\n") else data + b"\r\n")
    await gateway.until(lambda: len(gateway.all()) >= len(expected), 30, f"{len(expected)} observations")
    # a message of several parts comes when it is certain, so their order depends on the pace of the reads
    assert sorted(observation.raw or "" for observation in gateway.all()) == expected
    assert len({observation.observed_at_ns for observation in gateway.all()}) == len(expected)


@pytest.mark.parametrize(("change", "words"), [
    ({"driver": "sextant"}, "sextant"), ({"baud": 9600}, "unknown key"), ({"source": "other"}, "no source 'wind'"),
])  # fmt: skip
async def test_a_wrong_config_ends_with_2_and_names_the_file(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    device = write_profiles(tmp_path, [serial("/dev/null") | change])
    driver = DriverProcess(device, "wind", tmp_path / "handover.sock")
    await driver.start()
    assert await driver.wait(10) == 2
    assert words in driver.text()
    assert ".yaml" in driver.text()
    assert "Traceback" not in driver.text()


async def test_a_driver_of_a_dead_parent_is_told_to_stop(
    gateway: HandOverGateway, pty: SensorPty, tmp_path: Path
) -> None:
    """``--die-with-parent``: the shell that started it is killed; the driver ends in an orderly way."""
    device = write_profiles(tmp_path, [serial(pty.device)])
    command = (
        f"{sys.executable} -m edge_agent run --config {device} --profiles {tmp_path}/profiles --source wind"
        f" --socket {gateway.path} --die-with-parent & wait"
    )
    shell = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )
    await gateway.until(lambda: gateway.heartbeats, 10, "the driver runs")
    pid = gateway.hellos[0].pid
    shell.kill()
    await shell.wait()
    await gateway.until(lambda: not Path(f"/proc/{pid}").exists(), 8, "the driver has ended")
