"""How this process reaches a PostgreSQL server: TLS, password, timeouts, and what its refusals mean.

Over TCP there is TLS that checks the server's authority and name (libpq calls it verify-full), or no connection: there
is no switch for less, neither here nor in the URL, and variables of the environment that libpq would read are not
asked. A Unix socket of the same machine needs no TLS; the operating system says who calls (``peer``).
"""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa

from cloud_api.operations.connection import HangingUpConnection
from contracts.errors import ConfigError

CONNECT_TIMEOUT_S = 5.0
"""To connect, name resolution, TLS and password included: a slow server in another city answers within 1 s."""
ANSWER_MARGIN_S = 2.0
"""How much longer than the server's own statement timeout an answer is awaited: a frozen server says nothing."""
LOCK_TIMEOUT_S = 5.0
"""To wait for a row or table that another process holds: ours hold one for milliseconds; as SQLite's busy timeout."""
IDLE_IN_TRANSACTION_S = 5.0
"""After which the server ends the session of a frozen process of ours, which would hold its rows from the others."""
APPLICATION = "porttrack"
DEFAULT_PORT = 5432

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises past SQLAlchemy's translation: while it connects, for one."""

HINTS = {
    "28": "operations.password_file and the server's pg_hba.conf: may this user log in with this password over TLS?",
    "3D": "create the database (docs/operations_database.md)",
    "42": "run `python -m cloud_api migrate`, with a user that owns the tables",
    "53": "the server has no room: its disk, its memory, or max_connections against operations.pool_size",
    "57": "operations.statement_timeout_s, or the server is being shut down",
}
"""What can be done, by class of SQLSTATE (PostgreSQL 15, appendix A)."""


@dataclass(frozen=True)
class ServerAccess:
    """What a URL does not say about a server.

    Attributes:
        password_file: its one line is the password; read for each new connection, so that it may be changed.
        trust: authority of the server's certificate, PEM; the system's authorities are not trusted.
        pool_size: connections of this process at most, 1 to 100.
        statement_timeout_s: after which the server gives a statement up, s.
    """

    password_file: Path | None = None
    trust: Path | None = None
    pool_size: int = 5
    statement_timeout_s: float = 10.0


def connect_arguments(url: sa.URL, access: ServerAccess) -> dict[str, Any]:
    """Return asyncpg's arguments for a URL.

    Args:
        url: ``postgresql+asyncpg://USER@HOST[:PORT]/DATABASE``; several servers as
            ``postgresql+asyncpg://USER@/DATABASE?host=A:PORT&host=B:PORT``, of which the one that takes writes is used;
            a Unix socket as ``…@/DATABASE?host=/FOLDER&port=PORT``.
        access: password, trust, timeouts.

    Raises:
        ConfigError: the URL holds a password or an option, or a file is missing or is not what it should be (reasons
            ``bad_url``, ``no_password``, ``bad_certificate``).
    """
    hosts = _check(url)
    timeout_ms = str(int(access.statement_timeout_s * 1000))
    arguments: dict[str, Any] = {
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": access.statement_timeout_s + ANSWER_MARGIN_S,
        "target_session_attrs": "read-write",
        "connection_class": HangingUpConnection,
        "password": _password(url, access.password_file, hosts),
        "ssl": False if _is_local(hosts) else _context(access.trust),
        "server_settings": {
            "application_name": APPLICATION,
            "statement_timeout": timeout_ms,
            "lock_timeout": str(int(LOCK_TIMEOUT_S * 1000)),
            "idle_in_transaction_session_timeout": str(int(IDLE_IN_TRANSACTION_S * 1000)),
        },
    }
    if url.port is None and "port" not in url.query and all(":" not in host for host in hosts):
        arguments["port"] = DEFAULT_PORT
    return arguments


def hint_for(error: BaseException) -> str:
    """Return what can be done about an error of the server or of the way to it; empty where nothing is known."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "operations.trust and the host in operations.url: the server's certificate is not of this authority"
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str):
            return HINTS.get(state[:2], "")
        cause = getattr(cause, "orig", None) or cause.__cause__
    return ""


def _check(url: sa.URL) -> list[str]:
    """Return the hosts of a URL that says nothing it must not."""
    subject = "operations.url"
    if url.password is not None:
        hint = "write it into a file and name that in operations.password_file"
        raise ConfigError("open operations database", subject, "holds a password", hint, "bad_url")
    other = sorted(set(url.query) - {"host", "port"})
    if other:
        hint = "the only options are host and port"
        raise ConfigError("open operations database", subject, f"holds {', '.join(other)}", hint, "bad_url")
    named = url.query.get("host", ())
    hosts = [url.host] if url.host else [named] if isinstance(named, str) else list(named)
    if not url.username or not url.database or not hosts:
        hint = "postgresql+asyncpg://USER@HOST:PORT/DATABASE"
        raise ConfigError("open operations database", subject, "names no user, host or database", hint, "bad_url")
    return hosts


def _is_local(hosts: list[str]) -> bool:
    return all(host.startswith("/") for host in hosts)


def _password(url: sa.URL, file: Path | None, hosts: list[str]) -> Any:  # noqa: ANN401 - asyncpg takes a coroutine function
    if file is None and not _is_local(hosts):
        hint = "operations.password_file: a file with one line"
        raise ConfigError("open operations database", f"user {url.username}", "has no password", hint, "no_password")
    if file is not None and not file.is_file():
        hint = "operations.password_file: a file with one line"
        raise ConfigError("open operations database", str(file), "no such file", hint, "no_password")

    async def read() -> str:
        return await asyncio.to_thread(_first_line, file) if file is not None else ""

    return read


def _first_line(file: Path) -> str:
    return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")


def _context(trust: Path | None) -> ssl.SSLContext:
    hint = "operations.trust: a PEM file with the authority that signed the server's certificate"
    if trust is None:
        raise ConfigError("open operations database", "operations.trust", "missing", hint, "bad_certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=trust)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError("read certificate", str(trust), str(exc), hint, "bad_certificate") from exc
    return context
