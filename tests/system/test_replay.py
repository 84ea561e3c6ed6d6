"""A recorded national feed, through a serial line, a gateway, the broker and the cloud: the same set arrives, once.

Timeline: cloud and gateway start; the recording is written to the pty at 20 times its pace (3,000 messages/s); when the
gateway's outbox is empty the cloud's history must hold what ``edge_agent decode`` makes of the same file.
"""

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.support.ais_feed import recorded_lines
from tests.support.port import Port, nmea_source, running_port
from tests.support.processes import wait_until
from tests.support.ptys import SensorPty

pytestmark = pytest.mark.system

GATEWAY = "gw-replay"
SPEED = 20.0
MESSAGES_IN_RECORDING = 4051
DRAIN_TIMEOUT_S = 90


def decoded(port: Port, recording: Path) -> Counter[str]:
    text = port.command("edge_agent", "decode", "--json", str(recording))
    return Counter(canonical(json.loads(line)) for line in text.splitlines())


def canonical(payload: dict[str, object]) -> str:
    return json.dumps(payload, sort_keys=True)


def is_drained(port: Port, expected: int) -> bool:
    view = port.gateway_view(GATEWAY)
    if view is None or not view["sources"]:
        return False
    return bool(view["sources"][0]["records"] >= expected and view["buffered_records"] == 0)


def test_the_national_feed_arrives_whole_and_once(tmp_path: Path, recordings: Path) -> None:
    recording = recordings / "ais" / "denmark_national.nmea"
    pty = SensorPty()
    with running_port(tmp_path) as port:
        expected = decoded(port, recording)
        assert expected.total() <= MESSAGES_IN_RECORDING
        port.start_cloud()
        gateway = port.start_gateway(GATEWAY, [nmea_source("ais", pty.device)])
        wait_until(lambda: port.gateway_view(GATEWAY) is not None, 30, "the gateway reports")
        wait_until(lambda: gateway.children("edge_agent"), 30, "the driver runs")
        writer = threading.Thread(target=pty.write_lines, args=(recorded_lines(recording, SPEED),), name="instrument")
        writer.start()
        writer.join(DRAIN_TIMEOUT_S)
        assert not writer.is_alive()
        wait_until(lambda: is_drained(port, expected.total()), DRAIN_TIMEOUT_S, "the outbox is empty")
        stored = Counter(canonical(payload) for payload in port.history("ais"))
        missing, surplus = expected - stored, stored - expected
        assert missing.total() == 0, list(missing)[:3]
        assert surplus.total() == 0, list(surplus)[:3]
        assert all(account["is_whole"] for account in port.accounts())
    pty.close()
