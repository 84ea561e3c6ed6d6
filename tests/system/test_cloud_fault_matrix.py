"""The cloud's fault matrix: whatever is killed or stopped, every record is stored exactly once.

On one host: a broker, and one process on SQLite. On servers: a cluster of three nodes, three workers, the API,
PostgreSQL and InfluxDB, all real processes under a supervisor. With MQTT 5: the same with a Mosquitto for the cluster;
broker and worker are killed and stopped, the servers behind them are those of the matrix before.

Timeline of a cell: gateways send; a part is killed with SIGKILL, or stopped with SIGSTOP for a while; its supervisor
starts it again, or SIGCONT lets it go on; the cell ends when no gateway holds a record from before the fault, records
arrive as they are made (``live_s``), and the part answers (``answering_s``); both are printed, in seconds from the kill
or the SIGCONT. At the end the outboxes drain, and the numbers of every stream are counted in history and ledger.

Reduced: one kill and one stop of 5 s a part, 500 records/s. With ``PORTTRACK_WHOLE=1``: ten kills and a stop of 20 s a
part, 2,000 records/s.
"""

import json
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.support.fault_parts import Part, kill, stop_for
from tests.support.fleet_control import RunningFleet, running_fleet
from tests.support.prerequisites import is_left_out
from tests.support.processes import wait_until
from tests.support.server_plant import mosquitto_plant, server_plant
from tests.support.store_evidence import Held, balance
from tests.support.store_plant import SITE, Plant, embedded_plant

pytestmark = pytest.mark.system

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
GATEWAYS = 20
RECORDS_PER_S = 2000.0 if IS_WHOLE else 500.0
KILLS = 10 if IS_WHOLE else 1
STOP_S = 20.0 if IS_WHOLE else 5.0
RECOVERY_TIMEOUT_S = 180.0
DRAIN_TIMEOUT_S = 240.0
UPLINK: dict[str, Any] = {"reconnect_cap_s": 2.0, "resend_cap_s": 10.0}
"""Of gateways on a port's own network; a batch without a receipt is sent again after 5 s, the default."""


def test_every_record_is_stored_once_whatever_is_killed_or_stopped_embedded(tmp_path: Path) -> None:
    with embedded_plant(tmp_path) as plant:
        _matrix(plant, tmp_path)


def test_every_record_is_stored_once_whatever_is_killed_or_stopped_on_servers(tmp_path: Path) -> None:
    with server_plant(tmp_path) as plant:
        _matrix(plant, tmp_path)


def test_every_record_is_stored_once_whatever_is_killed_or_stopped_on_mqtt(tmp_path: Path) -> None:
    if is_left_out("mosquitto"):
        pytest.skip("Debian package mosquitto is not installed")
    with mosquitto_plant(tmp_path, GATEWAYS) as plant:
        _matrix(plant, tmp_path)


def test_a_receipt_before_its_commit_is_seen_as_a_loss(tmp_path: Path) -> None:
    """Mutation proof: without the order of commit and receipt, one kill loses records, and the balance says so."""
    with embedded_plant(tmp_path, "tests.support.early_receipts") as plant:
        identities = plant.gateways(2)
        with running_fleet(tmp_path / "fleet", SITE, plant.brokers, identities, 500.0, **UPLINK) as fleet:
            cloud = plant.parts[1]
            fleet.wait_live(kill(cloud), RECOVERY_TIMEOUT_S)
            drained = fleet.drain(DRAIN_TIMEOUT_S)
        result = balance(drained.streams, plant.held())
    assert result.lost > 0
    assert result.doubled == 0


def test_the_balance_sees_each_way_to_be_wrong() -> None:
    whole = Held(Counter(range(1, 6)), [(1, 5)], 5)
    assert balance({"s": 5}, {"s": whole}).is_exact()
    wrong = {
        "lost": Held(Counter([1, 2, 4, 5]), [(1, 5)], 5),
        "doubled": Held(Counter([1, 2, 3, 3, 4, 5]), [(1, 5)], 5),
        "unwritten": Held(Counter(range(1, 6)), [(1, 4)], 5),
        "written_twice": Held(Counter(range(1, 6)), [(1, 5)], 6),
        "strange": Held(Counter(range(1, 7)), [(1, 5)], 5),
    }
    for name, held in wrong.items():
        result = asdict(balance({"s": 5}, {"s": held}))
        assert {key for key, value in result.items() if value} == {"records", name}
    assert balance({"s": 5}, {"s": whole, "t": Held(Counter([1]))}).strange == 1


def _matrix(plant: Plant, folder: Path) -> None:
    identities = plant.gateways(GATEWAYS)
    uplink = UPLINK | {"protocol": plant.protocol}
    with running_fleet(folder / "fleet", SITE, plant.brokers, identities, RECORDS_PER_S, **uplink) as fleet:
        for part in plant.parts:
            for number in range(KILLS):
                _settle(fleet, part, kill(part), f"kill {number + 1}")
            _settle(fleet, part, stop_for(part, STOP_S), f"stop {STOP_S:.0f} s")
        drained = fleet.drain(DRAIN_TIMEOUT_S)
    result = balance(drained.streams, plant.held())
    _tell(plant=plant.name, **asdict(result), batches_resent=drained.counters.get("batches_resent", 0),
          restarts=plant.restarts())  # fmt: skip
    assert result.records > 0
    assert result.is_exact(), result


def _settle(fleet: RunningFleet, part: Part, since_s: float, fault: str) -> None:
    with ThreadPoolExecutor(1) as beside:
        answering = beside.submit(_answers_at, part, fault)
        live_s = fleet.wait_live(since_s, RECOVERY_TIMEOUT_S)
        answering_s = answering.result()
    _tell(part=part.name, fault=fault, live_s=round(live_s - since_s, 2), answering_s=round(answering_s - since_s, 2))


def _answers_at(part: Part, fault: str) -> float:
    wait_until(part.is_answering, RECOVERY_TIMEOUT_S, f"{part.name} answers after {fault}", 0.05)
    return time.monotonic()


def _tell(**figures: object) -> None:
    print(json.dumps(figures))  # noqa: T201 - the figure
