"""The v2 write API (InfluxDB 2.x and 3.x, VictoriaMetrics) through influxdb-client.

Its batching and its retries are not used: what is acknowledged to a gateway must be written when the call returns, and
a retry must know what a refusal means. Its compression is not used either: it compresses at level 9, on the loop.

*Source:* InfluxDB 2.x, API reference, ``POST /api/v2/write``.
"""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService

from cloud_api.history.influx.answers_policy import Answer, judge
from cloud_api.history.influx.http_v1 import WRITE_TIMEOUT_S, unreachable
from contracts.errors import LinkError


@dataclass(frozen=True)
class ServerV2:
    """Where a server of the v2 API is.

    Attributes:
        url: ``http(s)://host:port``.
        org: organisation; servers that know none take any.
        buckets: bucket of each retention policy that the server has.
        authorization: value of the header, empty where none is asked.
        trust_file: authority of its certificate, PEM; empty: the system's.
    """

    url: str
    org: str
    buckets: Mapping[str, str]
    authorization: str = field(default="", repr=False)
    trust_file: str = ""


def token_authorization(token: str) -> str:
    """Return the header's value for a token."""
    return f"Token {token}" if token else ""


def basic_authorization(username: str, password: str) -> str:
    """Return the header's value for a user.

    *Source:* RFC 7617.
    """
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


class InfluxV2Writer:
    """``WriteEndpoint`` on ``/api/v2/write``.

    Args:
        server: where.
        timeout_s: of one request, s.
    """

    def __init__(self, server: ServerV2, timeout_s: float = WRITE_TIMEOUT_S) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._client: InfluxDBClientAsync | None = None
        self._writes: WriteService | None = None

    async def post(self, policy: str, lines: bytes) -> Answer:
        """See ``WriteEndpoint``."""
        bucket = self._server.buckets[policy]
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._service().post_write_async(  # type: ignore[no-untyped-call]
                    org=self._server.org, bucket=bucket, body=lines, precision="ns", async_req=False,
                    content_encoding="gzip", content_type="text/plain; charset=utf-8",
                )  # fmt: skip
        except ApiException as exc:
            return _answer(exc, self._server.url)
        except (aiohttp.ClientError, OSError) as exc:
            raise unreachable("write to history server", self._server.url, exc) from exc
        return judge(204, "", None, datetime.now(UTC))

    async def close(self) -> None:
        """See ``WriteEndpoint``."""
        if self._client is not None:
            client, self._client, self._writes = self._client, None, None
            await client.close()  # type: ignore[no-untyped-call]

    def _service(self) -> WriteService:
        if self._writes is None:
            server = self._server
            self._client = InfluxDBClientAsync(
                url=server.url, token="", org=server.org, timeout=int(self._timeout_s * 1000),
                ssl_ca_cert=server.trust_file or None, allow_redirects=False,
            )  # fmt: skip
            api = self._client.api_client
            if server.authorization:
                # set by ourselves: of "Token" and "Basic" the library would open a session for a user and password
                api.set_default_header("Authorization", server.authorization)  # type: ignore[no-untyped-call]
            self._writes = WriteService(api)  # type: ignore[no-untyped-call]
        return self._writes


def _answer(exc: ApiException, url: str) -> Answer:
    if not exc.status:
        raise LinkError("write to history server", url, str(exc.reason), "", "unreachable") from exc
    body = exc.body.decode(errors="replace") if isinstance(exc.body, bytes) else str(exc.body or "")
    retry_after = exc.headers.get("Retry-After") if exc.headers is not None else None
    return judge(int(exc.status), body, retry_after, datetime.now(UTC))
