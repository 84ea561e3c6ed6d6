"""Writes points to an InfluxDB: sized requests, attempts with full jitter, refused points singled out.

Rules: a point that the server refuses never takes its neighbours along: a refused request is halved until the point
stands alone, which is harmless because writing a point twice changes nothing. Before a lone point is given up, a point
that is known to be good is written: a server that refuses that one too refuses everybody, and then nothing is given up.
The server says when to come back, and is not asked before.
"""

import asyncio
import gzip
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import NamedTuple

import structlog

from cloud_api.backoff import FullJitter
from cloud_api.history.influx.answers_policy import Answer, Meaning
from cloud_api.history.influx.line_protocol import LineEncoder
from cloud_api.history.influx.metrics import InfluxMetrics
from cloud_api.history.influx.placing_policy import Placing
from cloud_api.history.influx.ports import WriteEndpoint
from cloud_api.history.influx.schema import BEYOND, PLACED, measurement_of
from cloud_api.history.influx.series_guard_policy import SeriesGuard
from cloud_api.history.models import Rejected, StoredRecord
from contracts.errors import LinkError, PeerError

MAX_LINES = 5_000
"""Lines a request: what InfluxDB's documentation calls the optimum."""
MAX_BODY_BYTES = 2 * 1024 * 1024
"""Lines of a request before compression: 5,000 AIS positions. InfluxDB 1.x refuses 25 MB, a proxy often 1 MB."""
ATTEMPTS = 4
"""Attempts of one request before the caller is told: it has a backoff of its own, and its own callers wait."""
COMPRESSION_LEVEL = 1
"""On 1,000 AIS positions: a fifth of the size in 3 ms; level 9 saves a sixth of that for four times the CPU."""
PROBE = "porttrack_probe"
"""Measurement of the point that is known to be good: one series, one point an hour."""
HOUR_NS = 3600 * 10**9
HINTS = {
    "unauthorised": "see history.token_file or history.username and history.password_file",
    "no_database": "make it as docs/history_servers.md says",
    "series_limit": "the server's cap on series is reached: raise it, or see who shares the database",
}

_log = structlog.get_logger(__name__)


class _Line(NamedTuple):
    point: StoredRecord
    policy: str
    text: bytes


class InfluxSink:
    """``PointSink`` on one server.

    Args:
        endpoint: the server.
        encoder: makes lines.
        placing: where a record belongs by its time.
        guard: how many series a gateway may make.
        metrics: counters.
        backoff: delays between attempts.
        has_beyond: the server can keep what lies beyond its retention.
        now_ns: UTC ns.
        sleep: waits, s.
    """

    def __init__(
        self,
        endpoint: WriteEndpoint,
        encoder: LineEncoder,
        placing: Placing,
        guard: SeriesGuard,
        metrics: InfluxMetrics,
        backoff: FullJitter,
        *,
        has_beyond: bool = True,
        now_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._encoder = encoder
        self._placing = placing
        self._guard = guard
        self._metrics = metrics
        self._backoff = backoff
        self._has_beyond = has_beyond
        self._now_ns = now_ns
        self._sleep = sleep
        self._told: set[str] = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="influx-encoder")

    async def write(self, points: Sequence[StoredRecord]) -> list[Rejected]:
        """See ``PointSink``."""
        loop = asyncio.get_running_loop()
        lines, rejected = await loop.run_in_executor(self._thread, self._encode_all, list(points))
        for policy, group in groupby(lines, key=lambda line: line.policy):
            for part in _sized(list(group)):
                rejected += await self._deliver(policy, part)
        for item in rejected:
            self._metrics.rejected.labels(item.reason).inc()
        return rejected

    async def overwrite(self, policy: str, points: Sequence[tuple[StoredRecord, int]]) -> list[Rejected]:
        """Write points at times that they have already, UTC ns, with other fields; see ``write``."""
        loop = asyncio.get_running_loop()
        lines = await loop.run_in_executor(
            self._thread, lambda: [_Line(point, policy, self._encoder.encode(point, at_ns)) for point, at_ns in points]
        )
        return [item for part in _sized(lines) for item in await self._deliver(policy, part)]

    async def check(self) -> None:
        """See ``PointSink``: writes the point that is known to be good."""
        answer = await self._probe()
        if answer.meaning is not Meaning.WRITTEN:
            raise _not_now(PROBE, answer)

    async def close(self) -> None:
        """See ``PointSink``."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        await self._endpoint.close()

    def _encode_all(self, points: list[StoredRecord]) -> tuple[list[_Line], list[Rejected]]:
        now_ns = self._now_ns()
        lines, rejected = [], []
        for point in points:
            try:
                lines.append(self._encode(point, now_ns))
            except PeerError as exc:
                rejected.append(Rejected(point, exc.reason, exc.cause))
        # those of one policy together: hardly ever more than one
        lines.sort(key=lambda line: line.policy)
        return lines, rejected

    def _encode(self, point: StoredRecord, now_ns: int) -> _Line:
        record = point.record
        place = self._placing.place(record.observed_at_ns, record.seq, now_ns)
        if place.policy == BEYOND and not self._has_beyond:
            cause = "before or after everything that the server keeps"
            raise PeerError("place point", str(record.observed_at_ns), cause, "", "time_out_of_range")
        text, series = self._encoder.encode_with_series(point, place.time_ns)
        # without the slot; of vessels without what it is about too, which is one of four words
        guarded = series[:4] if series[0] == "ais" else series[:5]
        if not self._guard.admits(point.site, point.gateway, guarded, now_ns):
            raise PeerError("place point", record.source, "too many series of one gateway", "", "too_many_series")
        return _Line(point, place.policy, text)

    async def _deliver(self, policy: str, lines: list[_Line]) -> list[Rejected]:
        """Write lines of one policy; returns those that the server refuses."""
        rejected: list[Rejected] = []
        waiting = [lines]
        while waiting:
            part = waiting.pop()
            answer = await self._post(policy, part)
            if answer.meaning is Meaning.WRITTEN:
                self._count(policy, part)
            elif len(part) > 1:
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
            else:
                if not rejected:
                    await self._demand_that_good_points_pass(answer)
                rejected.append(Rejected(part[0].point, answer.reason, answer.cause))
        return rejected

    async def _post(self, policy: str, lines: list[_Line]) -> Answer:
        """Send one request until the server takes or refuses it.

        Raises:
            LinkError: it did neither in ``ATTEMPTS``.
        """
        body = await asyncio.get_running_loop().run_in_executor(self._thread, _compress, lines)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._send(policy, body)
            except LinkError as exc:
                self._metrics.requests.labels(exc.reason).inc()
                if attempt == ATTEMPTS:
                    raise
                wait_s = self._backoff.next_delay_s()
            else:
                if answer.meaning is not Meaning.LATER:
                    self._backoff.reset()
                    return answer
                wait_s = max(self._backoff.next_delay_s(), answer.wait_s or 0.0)
                if attempt == ATTEMPTS:
                    # what the server asked for is waited for even now: the caller does not know of it
                    wait_s = answer.wait_s or 0.0
            self._metrics.waiting.set(wait_s)
            await self._sleep(wait_s)
            self._metrics.waiting.set(0)
        raise _not_now(f"{len(lines)} points", answer)

    async def _send(self, policy: str, body: bytes) -> Answer:
        with self._metrics.request_s.time():
            answer = await self._endpoint.post(policy, body)
        self._metrics.bytes_sent.inc(len(body))
        self._metrics.requests.labels(answer.reason or "written").inc()
        return answer

    async def _probe(self) -> Answer:
        line = f"{PROBE} value=1i {self._now_ns() // HOUR_NS * HOUR_NS}".encode()
        return await self._endpoint.post(PLACED, gzip.compress(line, COMPRESSION_LEVEL))

    async def _demand_that_good_points_pass(self, refusal: Answer) -> None:
        """Raise a ``LinkError`` where the server refuses everything: then the point is not to blame."""
        answer = await self._probe()
        if answer.meaning is not Meaning.WRITTEN:
            hint = "the server refuses every point: see its log and the settings of the history"
            raise LinkError("write to history server", PROBE, f"{refusal.cause}; {answer.cause}", hint, "refuses_all")
        if refusal.reason not in self._told:
            # the reasons are a closed set; the rest is counted
            self._told.add(refusal.reason)
            _log.warning("history_point_refused", reason=refusal.reason, cause=refusal.cause)

    def _count(self, policy: str, lines: list[_Line]) -> None:
        for measurement, number in Counter(measurement_of(line.point.record) for line in lines).items():
            self._metrics.points.labels(measurement, policy).inc(number)


def _not_now(subject: str, answer: Answer) -> LinkError:
    return LinkError("write to history server", subject, answer.cause, HINTS.get(answer.reason, ""), answer.reason)


def _compress(lines: list[_Line]) -> bytes:
    return gzip.compress(b"\n".join(line.text for line in lines), COMPRESSION_LEVEL)


def _sized(lines: list[_Line]) -> list[list[_Line]]:
    """Cut lines into requests within ``MAX_LINES`` and ``MAX_BODY_BYTES``; a line over it stands alone."""
    parts: list[list[_Line]] = [[]]
    size = 0
    for line in lines:
        if parts[-1] and (len(parts[-1]) >= MAX_LINES or size + len(line.text) > MAX_BODY_BYTES):
            parts.append([])
            size = 0
        parts[-1].append(line)
        size += len(line.text) + 1
    return parts if lines else []
