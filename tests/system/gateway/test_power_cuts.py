"""Power cuts: no promise of the outbox is broken, whatever of the unsynced writes a cut takes along.

Timeline of a run: a real process under the recorder opens an outbox that is not there yet and works on it for 170
steps (appends of all classes, resends, receipts, refusals, sealing, giving up, closing and opening); its file calls
are cut at hundreds of points, half of them around syncs and changes of names; each image is opened by the real outbox,
drained against the promises, worked on, opened and drained again. Some images are recovered by the recorded process,
and that recovery is cut, too; more than half of these follow a kill instead of a cut, with what the kernel had not
written still waiting. ``PORTTRACK_WHOLE=1``: at least 15,000 cuts.
"""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from gateway.outbox import tables
from gateway.outbox.salvage.opening import open_outbox
from tests.support.gateway_records import GATEWAY, SITE
from tests.support.powercut.campaign import Outcome, find_violation, run_seed
from tests.support.powercut.disk import Cut, Disk, lay_out
from tests.support.powercut.left_behind import LAST_NO, RUN, SOURCE
from tests.support.powercut.recording import Kind, Names, build_recorder, read_ops
from tests.support.powercut.subject import CARELESS
from tests.support.prerequisites import GCC

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not GCC.exists(), reason=f"{GCC} is not there (Debian packages gcc, libc6-dev)"),
]

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
RUNS = 28 if IS_WHOLE else 1
POINTS = 510 if IS_WHOLE else 200
RECOVERIES = 12 if IS_WHOLE else 5
LEAST_CUTS = 15_000 if IS_WHOLE else 220
FIRST_SEED = 20261124
WORKERS = 2
TIMEOUT_S = 3600


def test_no_power_cut_breaks_a_promise() -> None:
    began = time.monotonic()
    total, runs = Outcome(), []
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(run_seed, FIRST_SEED + n, POINTS, RECOVERIES) for n in range(RUNS)]
        for future in waiting:
            runs.append(future.result(TIMEOUT_S))
            total.add(runs[-1])
    figures = {
        "runs": RUNS,
        "cuts": total.cuts,
        "least_points_a_run": min(run.points for run in runs),
        "cuts_in_recovery": total.recovery_cuts,
        "salvaged": total.salvages,
        "violations": len(total.broken),
        "seconds": round(time.monotonic() - began, 1),
        "syncs_recorded": dict(total.syncs.most_common()),
    }
    print(json.dumps({"power_cuts": figures}))  # noqa: T201 - the figures of a whole run are read
    assert not total.broken, "\n".join(total.broken[:20])
    assert total.cuts >= LEAST_CUTS
    assert total.recovery_cuts * 10 >= total.cuts
    assert not IS_WHOLE or min(run.points for run in runs) >= 500


SYNCS = {
    "of the log at each commit": r"wal by sqlite",
    "of the database at a checkpoint": r"outbox\.db by sqlite",
    "of the data folder, by SQLite and by us": r"folder data .*",
    "of the name of the data folder": r"folder \. .* by gateway",
    "of a batch set aside": r"outbox\.quarantine by gateway",
}


@pytest.mark.parametrize("sync", SYNCS)
def test_without_one_class_of_syncs_a_promise_is_broken(sync: str) -> None:
    """Mutation proof: the replay takes a class of recorded syncs for not done."""
    found = find_violation(SYNCS[sync], range(100, 108), points=60, recoveries=4)
    assert found.broken
    assert any(re.fullmatch(SYNCS[sync], label) for label in found.syncs)


@pytest.mark.parametrize(
    ("dropped", "is_kept"), [("", True), (r"wal by gateway", False), (r"folder data .* by gateway", False)]
)
def test_what_a_killed_process_left_unsynced_is_synced_before_the_first_answer(
    dropped: str, *, is_kept: bool, tmp_path: Path
) -> None:
    """See ``powercut.left_behind``; then the power is cut. With two mutation proofs: both syncs are needed."""
    live, log, image = tmp_path / "live", tmp_path / "log", tmp_path / "image"
    live.mkdir()
    command = [sys.executable, "-m", "tests.support.powercut.left_behind", str(live), str(log)]
    subprocess.run(command, check=True, timeout=60, env=os.environ | {"LD_PRELOAD": str(build_recorder())})
    disk = Disk(dropped)
    for op in read_ops(log.read_bytes(), Names()):
        assert op.kind is not Kind.MARK or json.loads(op.data) == {"stored": LAST_NO}
        disk.apply(op)
    lay_out(disk.image(Cut(0, "lost", "lost", has_journal=False)), image)
    db, _ = open_outbox(image / "data" / "outbox.db", (SITE, GATEWAY))
    stored_no = tables.stored_no(db, SOURCE, RUN)
    db.close()
    assert (stored_no == LAST_NO) is is_kept


def test_without_synchronous_full_a_promise_is_broken() -> None:
    """Mutation proof: the recorded process runs with ``synchronous=OFF``."""
    found = find_violation("", range(100, 103), 60, 2, CARELESS)
    assert found.broken
