"""Records a second that one worker of the store role commits, on each store, beside the bare limit and Node-RED.

A worker is whole but for its broker: it takes batches as they travel, decodes, judges, commits and answers. The limit
is the same rows written straight to the same server (``tests/bench/store_limits.py``), in turns with the worker, in the
same run; the median of the rounds counts. Then two workers on the same servers: on a machine of two cores the servers
want one of them, so the share of the CPU that was free is printed beside the ratio.

What the others leave out: the limit writes finished rows, in SQLite without ledger, coverage and clocks, to InfluxDB
and VictoriaMetrics uncompressed and one group after the other; VictoriaMetrics keeps no texts and loses its last
seconds with ``kill -9`` (docs/adr/0132); Node-RED keeps no ledger, tells no resend from a new record,
and nobody is told what it has stored.

``python -m tests.bench.cloud_store [BACKEND …]``. With ``PORTTRACK_WHOLE=1`` the growth goes to 10^7 records.
"""

import os
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import psutil

from tests.bench import store_peer
from tests.bench.figures import report
from tests.bench.peers_python import PeerMissingError
from tests.bench.store_backends import BACKENDS, Backend
from tests.bench.store_process import Worker, running_workers, together

RECORDS = 20_000
"""Of a round: one to two seconds of each side."""
ROUNDS = 3
AIM_LIMIT, AIM_SCALING, AIM_GROWTH = 0.5, 1.7, 1.2
IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
GROWTH = (100_000, 10_000_000) if IS_WHOLE else (10_000, 1_000_000)
"""Stored records between which the cost of one more is compared."""
WINDOW = 50_000 if IS_WHOLE else 10_000
WINDOWS = 5
"""Windows at either end; their median counts."""


class Opening(Protocol):
    """Starts the stores of one backend below a folder."""

    def __call__(self, folder: Path) -> AbstractContextManager[Backend]: ...

    __name__: str


def run(names: list[str] | None = None) -> None:
    """Measure every backend, or those named."""
    ours: dict[str, float] = {}
    for opening in BACKENDS:
        if not names or opening.__name__ in names:
            _measure(opening, ours)
    if not names or "node_red" in names:
        _node_red(ours)


def growth(names: list[str] | None = None) -> None:
    """Measure what a record costs while the store grows."""
    for opening in BACKENDS:
        if not names or opening.__name__ in names:
            with tempfile.TemporaryDirectory() as folder, opening(Path(folder)) as backend:
                _grow(backend)


def _measure(opening: Opening, ours: dict[str, float]) -> None:
    with tempfile.TemporaryDirectory() as folder, opening(Path(folder)) as backend:
        with running_workers(backend.config, [0]) as workers:
            ours[backend.name] = _beside_limits(backend, workers[0])
        if backend.is_shared:
            with running_workers(backend.config, [1, 2]) as workers:
                _scale(backend, workers)


def _beside_limits(backend: Backend, worker: Worker) -> float:
    rates: dict[str, list[float]] = defaultdict(list)
    cpu = []
    together([worker], RECORDS // 4)  # connections, caches
    for _ in range(ROUNDS):
        rate, cpu_s = together([worker], RECORDS)
        rates["ours"].append(rate)
        cpu.append(cpu_s)
        for name, limit in backend.limits.items():
            rates[name].append(limit(RECORDS))
    ours = statistics.median(rates.pop("ours"))
    limits = {name: round(statistics.median(values)) for name, values in rates.items()}
    cpu_us = round(statistics.median(cpu) * 1e6, 1)
    report(f"cloud_store_{backend.name}", ours, "records/s", version=backend.version, **limits,
           ratio=round(ours / limits["limit"], 3), aim=AIM_LIMIT, cpu_us=cpu_us)  # fmt: skip
    return ours


def _scale(backend: Backend, workers: list[Worker]) -> None:
    together(workers, RECORDS // 4)
    one, two, idle = [], [], []
    for _ in range(ROUNDS):
        psutil.cpu_percent()
        one.append(together(workers[:1], RECORDS)[0])
        idle.append(100 - psutil.cpu_percent())
        two.append(together(workers, RECORDS // 2)[0])
    ratio = statistics.median(two) / statistics.median(one)
    report(f"cloud_store_{backend.name}_two_workers", statistics.median(two), "records/s",
           one=round(statistics.median(one)), ratio=round(ratio, 2), aim=AIM_SCALING,
           idle_with_one=f"{statistics.median(idle):.0f} % of {psutil.cpu_count()} cores")  # fmt: skip


def _grow(backend: Backend) -> None:
    begin, end = GROWTH
    rates: list[tuple[int, float]] = []
    stored = 0
    with running_workers(backend.config, [0]) as workers:
        while stored < end + WINDOWS * WINDOW:
            rates.append((stored, together(workers, WINDOW)[0]))
            stored += WINDOW
    early = statistics.median([rate for at, rate in rates if at >= begin][:WINDOWS])
    late = statistics.median([rate for at, rate in rates if at >= end][:WINDOWS])
    report(f"cloud_store_{backend.name}_growth", 1e6 / late, "us/record", stored=end, at_first=round(1e6 / early, 2),
           at_first_stored=begin, ratio=round(early / late, 3), aim=AIM_GROWTH)  # fmt: skip


def _node_red(ours: dict[str, float]) -> None:
    rate = ours.get("influxdb_postgresql")
    try:
        store_peer.measure(rate)
    except PeerMissingError as exc:
        report("cloud_store_node_red", 0.0, "records/s", not_measured=str(exc))


if __name__ == "__main__":
    if sys.argv[1:2] == ["growth"]:
        growth(sys.argv[2:])
    else:
        run(sys.argv[1:])
