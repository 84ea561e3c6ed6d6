"""Records a second that Node-RED writes from MQTT to an InfluxDB 1.x, in three ways.

``…_paced``: one record a message, never more outstanding than a window, by Node-RED's own word that a message is
written; the best window counts. ``…_flood``: the same messages as fast as the broker takes them, as gateways that come
back would send them; what is lost is printed. ``…_arrays``: 200 records a message, written by one request: more than
a user gets who sends records as they are made, and the nearest to what a gateway of ours sends.

Nothing of it is acknowledged to the sender: a record that Node-RED holds is gone with it.
"""

import json
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench.figures import report
from tests.bench.node_red import DATABASE, TOPIC, WRITTEN_TOPIC, running_node_red
from tests.bench.store_feed import BATCH_RECORDS
from tests.support.certs import TestAuthority
from tests.support.influx_server import InfluxServer, running_influx
from tests.support.mosquitto import Mosquitto

AIM = 10.0
WINDOWS = (64, 256)
RECORDS = 6_000
ARRAY_RECORDS = 60_000
QUIET_S = 4.0
"""Without a new record in the database for so long, nothing more comes."""
WINDOW_TIMEOUT_S = 10.0


def measure(ours: float | None) -> None:
    """Measure and print.

    Args:
        ours: what one worker of ours commits on InfluxDB and PostgreSQL in this run, records/s, if it was measured.

    Raises:
        PeerMissingError: it is not to be had here.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Mosquitto(folder / "mosquitto", TestAuthority(folder / "authority"))
        broker.start()
        try:
            with running_influx(folder / "influx") as server:
                _measure(folder, broker, server, ours)
        finally:
            broker.kill()


def _measure(folder: Path, broker: Mosquitto, server: InfluxServer, ours: float | None) -> None:
    single = [json.dumps(_record(number)) for number in range(RECORDS)]
    records = [_record(number) for number in range(ARRAY_RECORDS)]
    arrays = [json.dumps(records[first : first + BATCH_RECORDS]) for first in range(0, ARRAY_RECORDS, BATCH_RECORDS)]
    with running_node_red(folder / "single", broker.port, server.port, is_batched=False):
        paced = max(_run(broker, server, single, RECORDS, window)[0] for window in WINDOWS)
        flood, arrived = _run(broker, server, single, RECORDS, None)
    with running_node_red(folder / "arrays", broker.port, server.port, is_batched=True):
        many, _ = _run(broker, server, arrays, ARRAY_RECORDS, WINDOWS[0])
    _report("cloud_store_node_red_paced", paced, ours)
    _report("cloud_store_node_red_flood", flood, ours, lost_share=round(1 - arrived / RECORDS, 4))
    _report("cloud_store_node_red_arrays", many, ours)


def _report(name: str, rate: float, ours: float | None, **more: float) -> None:
    ratio = {} if ours is None or rate == 0 else {"ratio": round(ours / rate, 2), "aim": AIM}
    report(name, rate, "records/s", **ratio, **more)


def _run(
    broker: Mosquitto, server: InfluxServer, messages: Sequence[str], records: int, window: int | None
) -> tuple[float, int]:
    """Send messages into an empty database; returns records a second and how many arrived."""
    server.query(f"DROP DATABASE {DATABASE}")
    server.query(f"CREATE DATABASE {DATABASE}")
    room = threading.Semaphore(window or len(messages))
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="gateways")
    client.max_inflight_messages_set(1000)
    client.on_message = lambda *_: room.release()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        client.subscribe(WRITTEN_TOPIC, 0)
        time.sleep(0.5)  # the subscription; what is measured begins below
        started_s = time.monotonic()
        for message in messages:
            assert room.acquire(timeout=WINDOW_TIMEOUT_S), "node-red answers nothing"
            client.publish(TOPIC, message, 1)
        arrived, took_s = _arrivals(server, records, started_s)
    finally:
        client.disconnect()
        client.loop_stop()
    return arrived / took_s, arrived


def _arrivals(server: InfluxServer, records: int, started_s: float) -> tuple[int, float]:
    """Wait until all records are in the database, or no more come; returns how many and when the last was seen."""
    arrived, seen_s = 0, time.monotonic()
    while arrived < records and time.monotonic() - seen_s < QUIET_S:
        series = server.query("SELECT count(seq) FROM ais", DATABASE)
        count = int(series[0]["values"][0][1]) if series else 0
        if count > arrived:
            arrived, seen_s = count, time.monotonic()
        time.sleep(0.05)
    return arrived, seen_s - started_s


def _record(number: int) -> dict[str, object]:
    """Return a position as a flow would write it; times as text, for JavaScript has no 64-bit integers."""
    lon_deg, lat_deg = round(-0.15 + number % 100_000 * 1e-6, 6), round(39.6 + number % 1000 * 1e-6, 6)
    fields = {
        "seq": number, "lon_deg": lon_deg, "lat_deg": lat_deg, "sog_kn": 11.5, "cog_deg": 123.4, "heading_deg": 124,
        "msg_type": 1, "station": "class_a",
    }  # fmt: skip
    tags = {"mmsi": str(200_000_000 + number % 50), "gateway": "gw-1", "source": "ais"}
    return {"at": str(1_790_000_000_000_000_000 + number * 10_000_000), "fields": fields, "tags": tags}


if __name__ == "__main__":
    measure(None)
