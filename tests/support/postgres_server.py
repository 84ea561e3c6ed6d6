"""A real PostgreSQL of the test's own: TLS with a certificate of a throw-away authority, passwords by SCRAM.

server = PostgresServer(folder)      # initdb, not started yet
with running_postgres() as server:
    url = server.database("ops")     # an empty database; sqlalchemy URL without password
    server.kill(); server.start()    # a power cut of the server, and its recovery
    with server.frozen(): ...        # SIGSTOP of the whole server

PostgreSQL refuses to run as root: there it runs as the user ``postgres`` of the Debian package.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from cloud_api.operations.server import ServerAccess
from tests.support.certs import TestAuthority
from tests.support.processes import free_port, wait_until

BINARIES = Path("/usr/lib/postgresql/15/bin")
USER = "postgres"
"""Of the operating system, where the test runs as root."""
ROLE = "porttrack"
START_TIMEOUT_S = 30.0
COMMAND_TIMEOUT_S = 60.0

CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = 100
shared_buffers = 64MB
ssl = on
ssl_cert_file = '{folder}/server.pem'
ssl_key_file = '{folder}/server.key'
password_encryption = 'scram-sha-256'
logging_collector = off
log_min_messages = warning
"""
ACCESS = """
local all all scram-sha-256
hostssl all all 127.0.0.1/32 scram-sha-256
local replication all scram-sha-256
"""


class PostgresServer:
    """One server below ``folder``.

    Attributes:
        port: on 127.0.0.1, TLS only.
        trust: authority of its certificate, PEM.
        password_file: password of the role ``porttrack``, which may make databases.
        folder: its files, and its Unix socket.
    """

    def __init__(self, folder: Path, primary: "PostgresServer | None" = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.data = folder / "data"
        self.password_file = folder / "password"
        self._log = folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if primary is None:
            self._make()
        else:
            self._copy(primary)
        text = CONFIGURATION.format(port=self.port, folder=folder)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(text)
        (self.data / "pg_hba.conf").write_text(ACCESS)

    @property
    def version(self) -> str:
        """Which server answers, for the output of a test."""
        return self.psql("SHOW server_version").strip()

    @property
    def pid(self) -> int:
        """Of the postmaster."""
        assert self._process is not None, "the server was never started"
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers; after a kill it recovers first."""
        self._launch()
        wait_until(self._answers, START_TIMEOUT_S, f"postgres answers: {self.tail()}", 0.05)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it as its operator would: SIGINT is the fast shutdown, SIGQUIT the immediate one."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(timeout=START_TIMEOUT_S)

    def kill(self) -> None:
        """``kill -9`` of the postmaster and of every process of it, as a power cut of the server does."""
        family = self._family()
        for process in family:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(family[1:], timeout=10)
        assert self._process is not None
        self._process.wait(timeout=10)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """SIGSTOP of every process of it until the block ends: connections stay open and nobody answers."""
        family = self._family()
        for process in family:
            _signal(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in reversed(family):
                _signal(process, signal.SIGCONT)

    def database(self, name: str = "") -> str:
        """Make an empty database and return its URL, without a password.

        Args:
            name: of the database; a new one if empty.
        """
        name = name or f"t{secrets.token_hex(6)}"
        self.psql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name: str) -> str:
        """URL of a database over TLS."""
        return f"postgresql+asyncpg://{ROLE}@127.0.0.1:{self.port}/{name}"

    def access(self, pool_size: int = 5, statement_timeout_s: float = 10.0) -> ServerAccess:
        """What the product needs beside a URL."""
        return ServerAccess(self.password_file, self.trust, pool_size, statement_timeout_s)

    def psql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as the server's owner and return what it prints, unaligned, without headers."""
        command = [str(BINARIES / "psql"), *self.target(database), "-AtXq", "-v", "ON_ERROR_STOP=1", "-c", statement]
        return self.run(command)

    def target(self, database: str) -> list[str]:
        """Options of PostgreSQL's own tools that name a database of this server."""
        return ["-h", str(self.folder), "-p", str(self.port), "-U", ROLE, "-d", database]

    def run(self, command: list[str]) -> str:
        """Run one of PostgreSQL's own tools with this server's password and return its output."""
        environment = os.environ | {"PGPASSWORD": self.password_file.read_text().strip()}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False, env=environment,
            cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == 0, f"{command[0]}: {done.stderr[-2000:]}"
        return done.stdout

    def tail(self) -> str:
        """End of its log."""
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""

    def promote(self) -> None:
        """Make a standby the primary."""
        self._as_user("pg_ctl", "promote", "-D", str(self.data))

    def _make(self) -> None:
        self.password_file.write_text(secrets.token_hex(16) + "\n")
        authority = TestAuthority(self.folder / "authority")
        self.trust = authority.trust
        pair = authority.issue("postgres.test", is_server=True)
        shutil.copy(pair.certificate, self.folder / "server.pem")
        shutil.copy(pair.key, self.folder / "server.key")
        self._give_away()
        self._as_user(
            "initdb", "-D", str(self.data), "-U", ROLE, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "-A", "scram-sha-256", f"--pwfile={self.password_file}",
        )  # fmt: skip

    def _copy(self, primary: "PostgresServer") -> None:
        """Become a standby of a server that runs: the same passwords, the same certificate, streaming."""
        for name in ("password", "server.pem", "server.key"):
            shutil.copy(primary.folder / name, self.folder / name)
        self.trust = primary.trust
        self._give_away()
        where = ["-h", str(primary.folder), "-p", str(primary.port), "-U", ROLE]
        self._as_user("pg_basebackup", "-D", str(self.data), "-R", "-c", "fast", "--no-sync", *where)

    def _launch(self) -> None:
        command = [*self._prefix(), str(BINARIES / "postgres"), "-D", str(self.data)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder)

    def _answers(self) -> bool:
        command = [str(BINARIES / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
        assert self._process is not None
        if self._process.poll() is not None:
            # what a killed server left in shared memory goes when its last process has ended
            self._launch()
        return subprocess.run(command, check=False, timeout=10).returncode == 0

    def _family(self) -> list[psutil.Process]:
        postmaster = psutil.Process(self.pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def _as_user(self, program: str, *arguments: str) -> None:
        command = [*self._prefix(), str(BINARIES / program), *arguments]
        environment = os.environ | {"PGPASSWORD": self.password_file.read_text().strip()}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False, env=environment,
            cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"

    def _prefix(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        return ["/usr/bin/setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"]

    def _give_away(self) -> None:
        (self.folder / "server.key").chmod(0o600)
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


@contextmanager
def running_postgres(primary: PostgresServer | None = None) -> Iterator[PostgresServer]:
    """Run a server until the block ends; its files lie in a folder of their own, which its user can reach.

    Args:
        primary: a server of which it is to be a standby.
    """
    folder = Path(tempfile.mkdtemp(prefix="porttrack-postgres-"))
    server: PostgresServer | None = None
    try:
        server = PostgresServer(folder, primary)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
