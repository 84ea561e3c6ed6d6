"""Real history servers for system tests: InfluxDB 1.6 (``influxd``) and VictoriaMetrics, each a process of its own.

with running_influx(tmp_path) as server:
    server.url                        # http://127.0.0.1:PORT
    server.version()                  # "InfluxDB 1.6.7~rc0": what answers, not what was asked for
    server.kill(); server.start()     # power cut, and the same data again
"""

import json
import shutil
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.processes import LOG_TAIL_BYTES, free_port, wait_until

INFLUXD = shutil.which("influxd", path="/usr/bin:/usr/local/bin")
VICTORIA = shutil.which("victoria-metrics", path="/usr/bin:/usr/local/bin")
START_TIMEOUT_S = 30.0
"""An influxd of 10^7 points that was killed reads its log first."""
ASK_TIMEOUT_S = 60.0


class HistoryServer:
    """One server with its data below a folder; keeps its port over restarts.

    Args:
        name: "influxdb" or "victoria-metrics".
        folder: for its files.
    """

    def __init__(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.folder = folder
        self.log = folder / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, f"{self.name} was never started"
        return self._child.pid

    def command(self) -> list[str]:
        """The command line that starts it."""
        raise AssertionError(self.name)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(self.answers, START_TIMEOUT_S, f"{self.name} answers; its log:\n{self.tail()}", 0.05)

    def answers(self) -> bool:
        """Tell whether it answers now."""
        assert self._child is not None
        assert self._child.poll() is None, f"{self.name} ended\n{self.tail()}"
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2) as response:
                return response.status in (200, 204)
        except OSError:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP and SIGCONT make it hang and go on."""
        assert self._child is not None
        self._child.send_signal(number)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._child is not None
        self._child.kill()
        self._child.wait(timeout=10)

    def stop(self) -> None:
        """End it as its operator would."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGCONT)
        self._child.terminate()
        try:
            self._child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self) -> str:
        """End of its log."""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if self.log.exists() else ""

    def get(self, path: str, **parameters: str) -> bytes:
        """GET a path, as a dashboard would, and return the body."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        with urllib.request.urlopen(f"{self.url}{path}{query}", timeout=ASK_TIMEOUT_S) as response:
            body: bytes = response.read()
            return body

    def version(self) -> str:
        """What answers, by its own words."""
        raise AssertionError(self.name)


class InfluxServer(HistoryServer):
    """``influxd`` 1.x; ``options`` are lines of its configuration file, by section."""

    def __init__(self, folder: Path, options: dict[str, list[str]] | None = None) -> None:
        super().__init__("influxdb", folder)
        self._config = folder / "influxdb.conf"
        sections = {
            "": ["reporting-disabled = true", f'bind-address = "127.0.0.1:{free_port()}"'],
            "meta": [f'dir = "{folder}/meta"'],
            "data": [f'dir = "{folder}/data"', f'wal-dir = "{folder}/wal"', 'index-version = "tsi1"',
                     "query-log-enabled = false"],
            "http": [f'bind-address = "127.0.0.1:{self.port}"', "log-enabled = false"],
            "monitor": ["store-enabled = false"],
            "retention": ['check-interval = "1s"'],
            "logging": ['level = "warn"'],
        }  # fmt: skip
        for section, lines in (options or {}).items():
            sections[section] = sections.get(section, []) + lines
        text = "".join((f"[{name}]\n" if name else "") + "".join(f"{line}\n" for line in sections[name])
                       for name in sections)  # fmt: skip
        self._config.write_text(text)

    def command(self) -> list[str]:
        assert INFLUXD is not None, "Debian package influxdb is not installed"
        return [INFLUXD, "-config", str(self._config)]

    def version(self) -> str:
        with urllib.request.urlopen(f"{self.url}/ping", timeout=5) as response:
            return f"InfluxDB {response.headers['X-Influxdb-Version']}"

    def query(self, statement: str, database: str = "", **more: str) -> list[dict[str, Any]]:
        """Run one InfluxQL statement and return its series (name, tags, columns, values), times in ns.

        It asks by POST, so that it may also change something.
        """
        parameters = {"q": statement, "db": database, "epoch": "ns"} | more
        request = urllib.request.Request(f"{self.url}/query", data=urllib.parse.urlencode(parameters).encode())
        try:
            with urllib.request.urlopen(request, timeout=ASK_TIMEOUT_S) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as exc:
            raise AssertionError(exc.read().decode()) from exc
        (result,) = answer["results"]
        assert "error" not in result, result
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def write(self, policy: str, lines: str, database: str = "porttrack") -> None:
        """Write lines as somebody else would."""
        path = f"/write?{urllib.parse.urlencode({'db': database, 'rp': policy, 'precision': 'ns'})}"
        with urllib.request.urlopen(f"{self.url}{path}", data=lines.encode(), timeout=ASK_TIMEOUT_S) as response:
            assert response.status == 204

    def series_cardinality(self, database: str) -> int:
        """How many series the database has, exactly."""
        return sum(row["values"][0][0] for row in self.query("SHOW SERIES EXACT CARDINALITY", database))


class VictoriaServer(HistoryServer):
    """``victoria-metrics``, one node; equal samples of one millisecond are one, so that a resend is none."""

    def __init__(self, folder: Path, options: list[str] | None = None) -> None:
        super().__init__("victoria-metrics", folder)
        self._options = options or []

    def command(self) -> list[str]:
        assert VICTORIA is not None, "Debian package victoria-metrics is not installed"
        listen, data = f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={self.folder}/data"
        own = ["-retentionPeriod=10y", "-dedup.minScrapeInterval=1ms", "-loggerLevel=WARN"]
        return [VICTORIA, listen, data, *own, *self._options]

    def version(self) -> str:
        # Debian's build is silent about its version: then the package is asked
        for line in self.get("/metrics").decode().splitlines():
            if line.startswith("vm_app_version{") and 'short_version=""' not in line:
                return "VictoriaMetrics " + line.partition('short_version="')[2].partition('"')[0]
        command = ["/usr/bin/dpkg-query", "-W", "-f", "${Version}", "victoria-metrics"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10)
        return f"VictoriaMetrics {done.stdout or 'of unknown version'}"

    def flush(self) -> None:
        """Make what was written visible to queries."""
        self.get("/internal/force_flush")

    def export(self, selector: str) -> list[dict[str, Any]]:
        """Return the series of a selector with all their samples: metric, values, timestamps (ms)."""
        self.flush()
        body = self.get("/api/v1/export", **{"match[]": selector})
        return [json.loads(line) for line in body.splitlines()]


@contextmanager
def running_influx(folder: Path, options: dict[str, list[str]] | None = None) -> Iterator[InfluxServer]:
    """Start an InfluxDB 1.x and end it."""
    server = InfluxServer(folder, options)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def running_victoria(folder: Path, options: list[str] | None = None) -> Iterator[VictoriaServer]:
    """Start a VictoriaMetrics and end it."""
    server = VictoriaServer(folder, options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
