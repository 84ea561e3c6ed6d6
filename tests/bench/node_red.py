"""Node-RED as a user would set it up: MQTT in, a function that shapes the point, InfluxDB out. A process of its own.

Installed by npm below build/ the first time it is measured; never a dependency. It listens nowhere but on the loopback,
and keeps no flows of others.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.peers_python import PeerMissingError
from tests.support.processes import free_port, wait_until

FOLDER = Path(__file__).parent.parent.parent / "build" / "peers" / "node_red"
PACKAGES = ("node-red@4", "node-red-contrib-influxdb@0.7")
INSTALL_TIMEOUT_S = 300
START_TIMEOUT_S = 60.0
TOPIC = "records"
WRITTEN_TOPIC = "written"
"""It says there that a message is written, so that it need not be sent more than it can take."""
DATABASE = "node_red"

_SHAPE_ONE = """
const r = msg.payload;
msg.payload = [{...r.fields, time: r.at}, r.tags];
return msg;
"""
_SHAPE_MANY = """
msg.payload = msg.payload.map(r => ({measurement: 'ais', fields: r.fields, tags: r.tags, timestamp: r.at}));
return msg;
"""


def install() -> Path:
    """Return the program; installs it the first time.

    Raises:
        PeerMissingError: it cannot be had here, and why.
    """
    program = FOLDER / "node_modules" / "node-red" / "red.js"
    if program.exists() and (FOLDER / "node_modules" / "node-red-contrib-influxdb").is_dir():
        return program
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise PeerMissingError("no npm")
    FOLDER.mkdir(parents=True, exist_ok=True)
    # without scripts: none of its packages needs one to run, and a peer is to change nothing outside its folder
    command = ["npm", "install", "--prefix", str(FOLDER), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        done = subprocess.run([*command, *PACKAGES], capture_output=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as exc:
        raise PeerMissingError(f"npm did not install node-red within {INSTALL_TIMEOUT_S} s") from exc
    if done.returncode != 0:
        raise PeerMissingError("npm could not install node-red")
    return program


@contextmanager
def running_node_red(folder: Path, mqtt_port: int, influx_port: int, *, is_batched: bool) -> Iterator[int]:
    """Run Node-RED until the block ends; yields its pid once it has subscribed.

    Args:
        folder: for its flows.
        mqtt_port: of a broker on the loopback, no TLS.
        influx_port: of an InfluxDB 1.x on the loopback.
        is_batched: a message is an array of records, written by one request, instead of one record.

    Raises:
        PeerMissingError: it is not to be had.
    """
    program, node = install(), shutil.which("node")
    assert node is not None
    folder.mkdir(parents=True, exist_ok=True)
    # packages are looked for beside the flows
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    (folder / "package.json").write_text(
        json.dumps({"name": "flows", "dependencies": {"node-red-contrib-influxdb": "*"}})
    )
    (folder / "flows.json").write_text(json.dumps(_flow(mqtt_port, influx_port, is_batched=is_batched)))
    settings = {
        "flowFile": "flows.json", "uiHost": "127.0.0.1", "uiPort": free_port(), "httpAdminRoot": False,
        "telemetry": {"enabled": False, "updateNotification": False}, "mqttReconnectTime": 500,
        "logging": {"console": {"level": "info", "metrics": False, "audit": False}},
    }  # fmt: skip
    (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)};\n")
    log = folder / "node_red.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [node, str(program), "-u", str(folder), "-s", str(folder / "settings.js")],
            stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, cwd=folder, env=os.environ | {"NODE_ENV": "production"},
        )  # fmt: skip
    try:
        wait_until(lambda: b"Connected to broker" in log.read_bytes(), START_TIMEOUT_S, f"node-red on MQTT: {log}")
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _flow(mqtt_port: int, influx_port: int, *, is_batched: bool) -> list[dict[str, Any]]:
    write: dict[str, Any] = {"id": "out", "z": "flow", "influxdb": "database", "precision": "n", "wires": []}
    write |= {"type": "influxdb batch"} if is_batched else {"type": "influxdb out", "measurement": "ais"}
    return [
        {"id": "flow", "type": "tab", "label": "records"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(mqtt_port), "clientid": "node-red",
         "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True},
        {"id": "database", "type": "influxdb", "hostname": "127.0.0.1", "port": str(influx_port), "protocol": "http",
         "database": DATABASE, "influxdbVersion": "1.x", "usetls": False},
        {"id": "in", "type": "mqtt in", "z": "flow", "topic": TOPIC, "qos": "1", "datatype": "json",
         "broker": "broker", "nl": False, "rap": True, "rh": 0, "inputs": 0, "wires": [["shape"]]},
        {"id": "shape", "type": "function", "z": "flow", "func": _SHAPE_MANY if is_batched else _SHAPE_ONE,
         "outputs": 1, "timeout": 0, "noerr": 0, "libs": [], "wires": [["out"]]},
        write,
        {"id": "written", "type": "complete", "z": "flow", "scope": ["out"], "uncaught": False, "wires": [["count"]]},
        {"id": "count", "type": "function", "z": "flow", "func": "return {payload: '1'};", "outputs": 1, "timeout": 0,
         "noerr": 0, "libs": [], "wires": [["answer"]]},
        {"id": "answer", "type": "mqtt out", "z": "flow", "topic": WRITTEN_TOPIC, "qos": "0", "retain": "false",
         "broker": "broker", "wires": []},
    ]  # fmt: skip
