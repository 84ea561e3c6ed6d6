"""An adapter that is unplugged and plugged in again under the same name is read again within five seconds."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest

from edge_agent.drivers.reconnection import BACKOFF_CAP_S, SERIAL_BACKOFF_CAP_S, backoff_for
from tests.support.driver_process import DriverProcess
from tests.support.handover_gateway import HandOverGateway
from tests.support.ptys import SensorPty
from tests.support.sentences import wind_sentence
from tests.system.edge_agent.conftest import StartDriver

pytestmark = pytest.mark.system

LIMIT_S = 5.0
ABSENCES_S: tuple[float, ...] = (0.2, 3.0, 8.0, 1.0)
if os.environ.get("PORTTRACK_WHOLE") == "1":
    ABSENCES_S = (*ABSENCES_S, 60.0, *(0.5 * step for step in range(20)))


class Adapter:
    """A pty under a name that stays, as udev names an adapter by its serial number."""

    def __init__(self, name: Path) -> None:
        self._name = name
        self._pty: SensorPty | None = None

    def plug_in(self) -> SensorPty:
        self._pty = SensorPty()
        self._name.symlink_to(self._pty.device)
        return self._pty

    def unplug(self) -> None:
        if self._pty is not None:
            self._pty.close()
            self._pty = None
            self._name.unlink()


async def test_a_replugged_adapter_is_read_within_five_seconds_however_long_it_was_away(
    gateway: HandOverGateway, start_driver: StartDriver, tmp_path: Path
) -> None:
    adapter = Adapter(tmp_path / "porttrack-wind")
    pty = adapter.plug_in()
    link = {"kind": "serial", "device": str(tmp_path / "porttrack-wind"), "baud": 4800}
    driver: DriverProcess = await start_driver({"source": "wind", "driver": "nmea", "link": link})
    pty.write(wind_sentence(1))
    await gateway.until(lambda: len(gateway.all()) == 1, 15, "the first record")
    took_s = []
    for absence_s in ABSENCES_S:
        adapter.unplug()
        await asyncio.sleep(absence_s)
        begun_s, before = time.monotonic(), len(gateway.all())
        pty = adapter.plug_in()
        pty.write(wind_sentence(before + 1))
        await gateway.until(lambda before=before: len(gateway.all()) > before, 15, "a record after the replug")  # type: ignore[misc]
        took_s.append(round(time.monotonic() - begun_s, 2))
    sys.stdout.write(json.dumps({"replug_to_record_s": took_s, "limit_s": LIMIT_S}) + "\n")
    assert max(took_s) <= LIMIT_S
    adapter.unplug()
    await driver.stop()


def test_the_wait_of_a_serial_link_would_be_too_long_with_the_cap_of_the_network() -> None:
    def longest(link_kind: str) -> float:
        backoff = backoff_for(link_kind)
        backoff._draw = lambda: 1.0
        return max(backoff.next_s() for _ in range(20))

    assert longest("serial") == SERIAL_BACKOFF_CAP_S < LIMIT_S
    assert longest("tcp") == BACKOFF_CAP_S > LIMIT_S
