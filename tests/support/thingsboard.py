"""ThingsBoard's gateway as a process with its SQLite storage, in a folder of its own.

Its settings are its defaults, but for these: statistics, remote configuration and the inactivity check are off, because
they put messages of their own into what is counted; the storage is SQLite instead of memory and its sizes are those of
its own class (``storage_settings.py``: 1,000 rows a read), not the 10 of the file that it is shipped with, which
would be slower. With ``remoteConfiguration`` on it would lose more (thingsboard-gateway#2124).
"""

import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

from tests.bench.peers_python import SCRIPTS, THINGSBOARD, environment, python_of
from tests.support.certs import TestAuthority

VERSION = "thingsboard-gateway 3.8.5, tb-mqtt-client 1.13.13"


class ThingsBoardProcess:
    """The process and its folder.

    Args:
        folder: of its own.
        authority: issues its certificate.
        mqtt_port: where its server seems to be.
        feed_port: where its lines come from.

    Raises:
        PeerMissingError: it cannot be had on this machine.
    """

    def __init__(self, folder: Path, authority: TestAuthority, mqtt_port: int, feed_port: int) -> None:
        self._python = python_of(THINGSBOARD)
        self._folder = folder
        (folder / "data").mkdir(parents=True)
        identity = authority.issue("tb-gateway")
        security = {
            "accessToken": "gw-1",
            "caCert": str(authority.trust),
            "cert": str(identity.certificate),
            "privateKey": str(identity.key),
        }
        settings = {
            "thingsboard": {
                "host": "127.0.0.1",
                "port": mqtt_port,
                "remoteConfiguration": False,
                "statistics": {"enable": False, "enableCustom": False},
                "deviceFiltering": {"enable": False},
                "security": security,
                "qos": 1,
            },
            "storage": {"type": "sqlite", "data_file_path": f"{folder}/data/"},
            "grpc": {"enabled": False},
            "connectors": [{"type": "lines", "class": "LineConnector", "name": "lines", "configuration": "lines.json"}],
        }
        (folder / "tb_gateway.json").write_text(json.dumps(settings), encoding="utf-8")
        (folder / "lines.json").write_text(json.dumps({"port": feed_port}), encoding="utf-8")
        (folder / "connected_devices.json").write_text("{}", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        command = [self._python, SCRIPTS / "thingsboard_service.py", self._folder / "tb_gateway.json"]
        with (self._folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, env=environment(), start_new_session=True
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stored(self) -> int:
        """Return how many rows it ever stored; its table numbers them by AUTOINCREMENT."""
        return sum(self._ask("SELECT seq FROM sqlite_sequence WHERE name = 'messages'"))

    def is_empty(self) -> bool:
        """Tell whether it has nothing left to send."""
        return not any(self._ask("SELECT EXISTS (SELECT 1 FROM messages)"))

    def _ask(self, question: str) -> list[int]:
        """Return the first answer of each of its databases."""
        answers = []
        for path in (self._folder / "data").glob("*.db"):
            db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
            try:
                found = db.execute(question).fetchone()
            except sqlite3.OperationalError:
                continue  # its tables are not made yet
            finally:
                db.close()
            answers += [int(found[0])] if found else []
        return answers

    def bytes_on_disk(self) -> int:
        """Return the size of its database files."""
        return sum(path.stat().st_size for path in (self._folder / "data").iterdir())

    def tail(self) -> str:
        """Return the end of what it printed."""
        return (self._folder / "out.log").read_text(encoding="utf-8", errors="replace")[-4000:]
