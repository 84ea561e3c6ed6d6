"""Several processes with the track role over one operations database, and a gateway whose streams get holes.

with running_group(folder, broker, url) as group:
    group.holder()                 # the process that judges the site now
    with HoleyGateway(wire) as gateway: gateway.open_hole()
"""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Self

import msgspec
import psutil

from contracts.codec import encode_message
from contracts.health import StreamStatus
from tests.support.batches import GATEWAY, SITE
from tests.support.broker import RunningBroker
from tests.support.cloud import FakeGateway, cloud_identity
from tests.support.processes import ROOT, Process, ending, wait_until
from tests.support.statuses import status

START_TIMEOUT_S = 40.0
REPORT_S = 1.0
PRODUCED = 20
CHART = ROOT / "firmware_configs/sites/puerto-demo/chart.geojson"


class Member:
    """One process with the track role."""

    def __init__(self, name: str, config: Path) -> None:
        self.log = config.with_name(f"{name}.log")
        arguments = ["cloud_api", "serve", "--config", str(config), "--roles", "track"]
        self.process = Process(name, arguments, self.log)

    def start(self) -> None:
        seen = len(self.events("cloud_started"))
        self.process.start()
        wait_until(lambda: len(self.events("cloud_started")) > seen, START_TIMEOUT_S, f"start: {self.process.tail()}")

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Log lines of these events, in order; ``at_s`` is their UTC time, s."""
        if not self.log.exists():
            return []
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        found = [event for line in lines if (event := json.loads(line))["event"] in names]
        for event in found:
            event["at_s"] = datetime.fromisoformat(event["at"]).timestamp()
        return found

    @property
    def is_holder(self) -> bool:
        """Whether it says that it judges the site."""
        told = self.events("track_lease_taken", "track_lease_lost", "cloud_started")
        return self.process.is_running and bool(told) and told[-1]["event"] == "track_lease_taken"

    def took_after(self, at_s: float) -> float | None:
        """UTC s at which it took the lease for the first time after ``at_s``; None if it did not."""
        moments = [event["at_s"] for event in self.events("track_lease_taken") if event["at_s"] >= at_s]
        return moments[0] if moments else None

    def signal(self, number: signal.Signals) -> None:
        psutil.Process(self.process.pid).send_signal(number)


class TrackGroup:
    """The members, all with the same settings; ``store`` makes the history that they read."""

    def __init__(self, folder: Path, broker: RunningBroker, operations: str, size: int) -> None:
        folder.mkdir(parents=True)
        files = cloud_identity(broker)
        self.config = folder / "cluster.toml"
        self.config.write_text(
            f'[bus]\nservers = ["{broker.url}"]\ncertificate = "{files.certificate}"\n'
            f'private_key = "{files.private_key}"\ntrust = "{files.trust}"\n'
            f'[history]\npath = "history.sqlite"\n[site]\nchart = "{CHART}"\n[operations]\n{operations}\n'
        )
        self.store = Process("store", ["cloud_api", "serve", "--config", str(self.config), "--roles", "store"],
                             folder / "store.log")  # fmt: skip
        self.members = [Member(f"track-{number}", self.config) for number in range(size)]

    def start(self) -> None:
        self.store.start()
        wait_until(lambda: b"cloud_started" in self.store.log.read_bytes(), START_TIMEOUT_S, self.store.tail())
        for member in self.members:
            member.start()

    def holder(self) -> Member:
        """The process that judges the site; waits until it is exactly one."""
        found: list[Member] = []

        def is_one() -> bool:
            found[:] = [member for member in self.members if member.is_holder]
            return len(found) == 1

        wait_until(is_one, 20, "one holder")
        return found[0]

    def others(self, member: Member) -> list[Member]:
        return [other for other in self.members if other is not member]

    def alarms_told(self) -> list[str]:
        """Stream of every alarm that any process ever logged."""
        return [event["stream_id"] for member in self.members for event in member.events("accounting_alarm")]


@contextmanager
def running_group(folder: Path, broker: RunningBroker, operations: str, size: int = 2) -> Iterator[TrackGroup]:
    """Run a store and ``size`` processes with the track role until the block ends.

    Args:
        folder: for settings, logs and the history; not there yet.
        broker: the broker.
        operations: content of the section [operations]; its schema exists, or it is SQLite.
        size: processes with the track role.
    """
    group = TrackGroup(folder, broker, operations, size)
    with ending([group.store, *(member.process for member in group.members)]):
        group.start()
        try:
            yield group
        finally:
            for member in group.members:
                if member.process.is_running:
                    member.signal(signal.SIGCONT)


class HoleyGateway:
    """Reports streams of which the cloud has nothing: it says that it holds a stream's numbers, or that it does not."""

    def __init__(self, wire: FakeGateway) -> None:
        self._wire = wire
        self._lock = Lock()
        self._is_open: dict[str, bool] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="holey-gateway")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)

    def open_hole(self) -> str:
        """Let a further stream have a hole; returns its id."""
        with self._lock:
            stream_id = f"{SITE}.{GATEWAY}.hole{len(self._is_open):04}.track"
            self._is_open[stream_id] = True
        return stream_id

    def close_all(self) -> None:
        """Let the gateway hold everything after all."""
        with self._lock:
            self._is_open = dict.fromkeys(self._is_open, False)

    def _run(self) -> None:
        while not self._stopping.wait(REPORT_S):
            with self._lock:
                streams = [_stream(stream_id, is_open=is_open) for stream_id, is_open in self._is_open.items()]
            if streams:
                told = msgspec.structs.replace(status(at_ns=time.time_ns()), streams=streams)
                self._wire.send_bytes(encode_message(told), "status")


def _stream(stream_id: str, *, is_open: bool) -> StreamStatus:
    held = [] if is_open else [(1, PRODUCED)]
    return StreamStatus(
        stream_id=stream_id, next_seq=PRODUCED + 1, buffered_records=len(held) * PRODUCED, buffered_ranges=held
    )
