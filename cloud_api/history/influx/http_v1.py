"""InfluxDB 1.x over HTTP: ``/write`` and, with 2.x and 3.x too, InfluxQL on ``/query``.

Every wait has an end, every answer a size. Passwords and tokens travel in a header, never in a URL.

*Source:* InfluxDB 1.x, API reference (``/write``, ``/query``: chunked, epoch); 2.x and 3.x, 1.x compatibility API.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp

from cloud_api.history.influx.answers_policy import MAX_CAUSE, Answer, judge
from cloud_api.history.influx.schema import PLACED
from contracts.errors import LinkError

CONNECT_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 30.0
"""One request: InfluxDB gives up its own write after 10 s."""
QUERY_TIMEOUT_S = 20.0
"""One answer: a page is read in milliseconds, a month of a busy series in seconds."""
MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Of one answer to a question: 500,000 rows of a track; beyond it the span is too long for one answer."""
MAX_LINE_BYTES = 8 * 1024 * 1024
"""One chunk of an answer; of servers that make no chunks, all of it."""
CHUNK_ROWS = 1_000
"""Rows a chunk: 3 MiB of the widest, sums of a berth of 30 hooks and 4 lasers."""
MAX_ERROR_BYTES = 64 * 1024
CONNECTIONS = 8
"""To one server from one process: a write, a few questions, a check."""


@dataclass(frozen=True)
class Server:
    """Where a server is and how one is let in.

    Attributes:
        url: ``http(s)://host:port`` with a path if it has one.
        database: name of the database.
        headers: of every request: the authorisation.
        trust: what its certificate is checked by; None: the system's authorities.
        has_policies: it knows retention policies; else each is a database of its own, ``{database}_{policy}``.
    """

    url: str
    database: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    trust: ssl.SSLContext | None = None
    has_policies: bool = True

    def target(self, policy: str | None) -> dict[str, str]:
        """Return the parameters that name a retention policy; None: the database alone."""
        if policy is None:
            return {"db": self.database}
        if self.has_policies:
            return {"db": self.database, "rp": policy}
        return {"db": self.database if policy == PLACED else f"{self.database}_{policy}"}


class _Connection:
    """One client session, made at first use because it belongs to a running loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=self._server.trust or True)
            self._session = aiohttp.ClientSession(
                connector=connector, headers=dict(self._server.headers), read_bufsize=MAX_LINE_BYTES,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            )  # fmt: skip
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()


def unreachable(operation: str, subject: str, exc: BaseException) -> LinkError:
    """Return the error for a server that cannot be reached or does not answer in time."""
    is_late = isinstance(exc, TimeoutError)
    cause = "no answer in time" if is_late else (str(exc) or type(exc).__name__)
    return LinkError(operation, subject, cause, "", "timeout" if is_late else "unreachable")


class InfluxV1Writer:
    """``WriteEndpoint`` on ``/write``.

    Args:
        server: where.
        timeout_s: of one request, s.
    """

    def __init__(self, server: Server, timeout_s: float = WRITE_TIMEOUT_S) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._connection = _Connection(server)

    async def post(self, policy: str, lines: bytes) -> Answer:
        """See ``WriteEndpoint``."""
        server = self._server
        parameters = server.target(policy) | {"precision": "ns"}
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-8"}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._connection.session().post(
                    f"{server.url}/write", params=parameters, data=lines, headers=headers, allow_redirects=False
                ) as response,
            ):
                text = (await response.content.read(MAX_ERROR_BYTES)).decode(errors="replace")
                return judge(response.status, text, response.headers.get("Retry-After"), datetime.now(UTC))
        except (aiohttp.ClientError, OSError) as exc:
            raise unreachable("write to history server", server.url, exc) from exc

    async def close(self) -> None:
        """See ``WriteEndpoint``."""
        await self._connection.close()


class InfluxQueries:
    """``QueryEndpoint`` on ``/query``.

    Args:
        server: where.
        timeout_s: of one answer, s.
    """

    def __init__(self, server: Server, timeout_s: float = QUERY_TIMEOUT_S) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._connection = _Connection(server)

    async def ask(self, statements: str, policy: str | None = None) -> AsyncIterator[bytes]:
        """See ``QueryEndpoint``."""
        server = self._server
        form = {"q": statements, "epoch": "ns", "chunked": "true", "chunk_size": str(CHUNK_ROWS)}
        form |= server.target(policy)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._connection.session().post(
                    f"{server.url}/query", data=form, headers={"Accept": "application/json"}, allow_redirects=False
                ) as response,
            ):
                if response.status != HTTPStatus.OK:
                    text = (await response.content.read(MAX_ERROR_BYTES)).decode(errors="replace")
                    raise LinkError(
                        "read history server", server.url, f"{response.status}: {text.strip()[:MAX_CAUSE]}", "",
                        judge(response.status, text, None, datetime.now(UTC)).reason,
                    )  # fmt: skip
                async for line in _lines(response.content, server.url):
                    yield line
        except (aiohttp.ClientError, OSError) as exc:
            raise unreachable("read history server", server.url, exc) from exc

    async def close(self) -> None:
        """See ``QueryEndpoint``."""
        await self._connection.close()


async def _lines(content: aiohttp.StreamReader, url: str) -> AsyncIterator[bytes]:
    """Yield the lines of an answer; each is one chunk."""
    rest, read_bytes = bytearray(), 0
    async for data in content.iter_any():
        read_bytes += len(data)
        rest += data
        if read_bytes > MAX_ANSWER_BYTES or len(rest) > MAX_LINE_BYTES:
            raise LinkError("read history server", url, "an answer over the cap", "ask for less", "too_much")
        *whole, last = rest.split(b"\n")
        for line in whole:
            yield bytes(line)
        rest = bytearray(last)
    if rest:
        yield bytes(rest)
