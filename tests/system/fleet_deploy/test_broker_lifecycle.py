"""Revocation, death and restart of a served broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.broker import REPOSITORY, RunningBroker, running_broker
from tests.support.mqtt_client import MqttClient, wait_for

pytestmark = pytest.mark.system

SITE = "puerto-demo"


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path) as running:
        yield running


def test_a_revoked_gateway_is_cut_off_and_stays_out(own_broker: RunningBroker) -> None:
    revoked_files = own_broker.gateway(SITE, "gw-lost")
    lost = MqttClient(revoked_files, own_broker.host, own_broker.mqtt_port, "lost")
    other = MqttClient(own_broker.gateway(SITE, "gw-kept"), own_broker.host, own_broker.mqtt_port, "kept")
    try:
        wait_for(lambda: lost.is_connected and other.is_connected, "both gateways")
        own_broker.revoke(revoked_files)
        began_s = time.monotonic()
        wait_for(lambda: lost.disconnects > 0, "the cut", 3)
        assert time.monotonic() - began_s < 2.0
        connects = lost.connects.count(True)
        wait_for(lambda: lost.disconnects > 2, "two refused reconnects", 8)
        assert lost.connects.count(True) == connects
        assert other.is_connected
        assert other.disconnects == 0
    finally:
        lost.close()
        other.close()


def test_a_killed_broker_is_started_again_and_clients_come_back(own_broker: RunningBroker) -> None:
    client = MqttClient(own_broker.gateway(SITE, "gw-1"), own_broker.host, own_broker.mqtt_port)
    try:
        wait_for(lambda: client.is_connected, "the gateway")
        old = own_broker.kill_server()
        wait_for(lambda: client.connects.count(True) >= 2, "the gateway's return", 10)
        assert own_broker.server_pid() != old
        assert '"broker_died"' in own_broker.log.read_text()
    finally:
        client.close()


def test_a_hanging_broker_is_ended_and_started_again(own_broker: RunningBroker) -> None:
    old = own_broker.server_pid()
    wait_for(lambda: '"broker_ready"' in own_broker.log.read_text(), "the first ready")
    os.kill(old, signal.SIGSTOP)
    wait_for(lambda: '"reason": "hang"' in own_broker.log.read_text(), "the end of the hang", 30)
    own_broker.wait_until_ready()
    wait_for(lambda: own_broker.server_pid() != old, "the new server")


def test_sigterm_ends_everything_and_exits_0(own_broker: RunningBroker) -> None:
    server = psutil.Process(own_broker.server_pid())
    began_s = time.monotonic()
    assert own_broker.stop() == 0
    assert time.monotonic() - began_s < 5
    assert not server.is_running()
    own_broker.start()


def test_a_killed_supervisor_leaves_no_broker_behind(own_broker: RunningBroker) -> None:
    server = psutil.Process(own_broker.server_pid())
    assert own_broker.process is not None
    own_broker.process.kill()
    own_broker.process.wait(timeout=5)
    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, "the broker's end")
    own_broker.start()


def test_a_damaged_register_changes_nothing_and_says_so_once(own_broker: RunningBroker) -> None:
    client = MqttClient(own_broker.gateway(SITE, "gw-1"), own_broker.host, own_broker.mqtt_port)
    register = own_broker.authority / "registry.json"
    good = register.read_bytes()
    try:
        wait_for(lambda: client.is_connected, "the gateway")
        register.write_bytes(b'{"version": 1, "certifica')
        wait_for(lambda: "broker_configuration_kept" in own_broker.log.read_text(), "the warning")
        register.write_bytes(good)
        wait_for(lambda: "broker_configuration_readable" in own_broker.log.read_text(), "the recovery")
        assert client.disconnects == 0
    finally:
        client.close()


def test_a_broker_that_cannot_listen_gives_up_in_one_line(tmp_path: Path) -> None:
    with running_broker(tmp_path / "first") as first:
        command = [sys.executable, "-m", "fleet_deploy", "broker", "serve", "--ca", str(first.authority)]
        command += ["--dir", str(tmp_path / "second"), "--mqtt-port", str(first.mqtt_port)]
        command += ["--client-port", "0", "--monitor-port", "0"]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "before it was ready" in done.stderr
        assert "nats-server.log" in done.stderr
        assert "Traceback" not in done.stderr
