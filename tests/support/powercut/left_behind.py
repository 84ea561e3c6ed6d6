"""A recorded process: an outbox is opened after another process was killed in a commit, while a technician looks on.

Timeline: an outbox is made and closed; a technician's tool, which will outlive the rest, holds a snapshot of it; the
next process is killed in its first commit before it syncs the log, which is new (here: a connection that never syncs,
left open); the gateway starts and says how far the run is stored. The snapshot keeps the checkpoint at its start, which
would sync the log on its way, from doing anything.
"""

import json
import sqlite3
import sys
from pathlib import Path

import structlog

from gateway.outbox import tables
from gateway.outbox.salvage.opening import open_outbox
from tests.support.gateway_records import GATEWAY, SITE
from tests.support.powercut.recording import Recorder

SOURCE, RUN = "ais", "a"
LAST_NO = 9


def main(folder: Path, log: Path) -> None:
    """Play the timeline."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    path = folder / "data" / "outbox.db"
    recorder = Recorder()
    recorder.begin(folder, log)
    open_outbox(path, (SITE, GATEWAY))[0].close()
    technician = sqlite3.connect(path, isolation_level=None)
    technician.execute("BEGIN")
    technician.execute("SELECT * FROM runs").fetchall()
    killed = sqlite3.connect(path, isolation_level=None)
    killed.execute("PRAGMA synchronous = OFF")
    killed.execute("BEGIN IMMEDIATE")
    tables.remember_run(killed, SOURCE, RUN, LAST_NO)
    killed.execute("COMMIT")
    db, damages = open_outbox(path, (SITE, GATEWAY))
    assert not damages
    recorder.mark(json.dumps({"stored": tables.stored_no(db, SOURCE, RUN)}))
    recorder.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
