"""Gives points that came before their gateway knew the time that time, a few a step.

An InfluxDB cannot change the time of a point. So a step writes points at their right time, then does away with what
lies at the wrong one: beyond the retention, where the time of a point is its number, by writing the new fields over the
old; within it by deleting, which only 1.x can by stream and time. Points that are done are no longer ``unsynced`` and
are not found again. A step that ends anywhere is done again and leaves the same points (docs/adr/0153).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import structlog

from cloud_api.backoff import FullJitter
from cloud_api.history.clock_sets_policy import Task
from cloud_api.history.influx.answering import Row, rows_of
from cloud_api.history.influx.latest import record_of
from cloud_api.history.influx.metrics import InfluxMetrics
from cloud_api.history.influx.placing_policy import Placing
from cloud_api.history.influx.ports import QueryEndpoint
from cloud_api.history.influx.questions import deletion, numbered, together, unsynced, within
from cloud_api.history.influx.schema import BEYOND, MEASUREMENTS, PLACED
from cloud_api.history.influx.sink import InfluxSink
from cloud_api.history.models import StoredRecord
from cloud_api.history.reading import Span
from cloud_api.history.sql_clock_sets import SqlClockSets
from contracts.errors import LinkError

MAX_POINTS = 1_000
"""Points of one measurement in one step: as many as a group of the store role, some tenths of a second. An hour of 75
records a second is done in three minutes beside the writes."""
DELETIONS = 100
"""Deletions a request."""
LOOK_S = 10.0
"""Between two looks while nothing is due."""
PAUSE_S = 0.1
"""Between two steps, for who writes meanwhile."""

_log = structlog.get_logger(__name__)


class _Found(NamedTuple):
    """A point as it lies, and as it shall."""

    time_ns: int
    measurement: str
    old: StoredRecord
    new: StoredRecord


@dataclass
class _Progress:
    seen: int = 0
    done: int = 0
    is_more: bool = False


class ClockBackfill:
    """See the module.

    Args:
        queries: the server.
        sink: writes to it.
        clock_sets: what is to be done.
        placing: where a record belongs by its time.
        metrics: counters.
        backoff: delays after failures.
        now_ns: UTC ns.
        can_delete: the server deletes by stream and time; else points within the retention stay where they are.
    """

    def __init__(
        self,
        queries: QueryEndpoint,
        sink: InfluxSink,
        clock_sets: SqlClockSets,
        placing: Placing,
        metrics: InfluxMetrics,
        backoff: FullJitter,
        now_ns: Callable[[], int],
        *,
        can_delete: bool,
    ) -> None:
        self._queries = queries
        self._sink = sink
        self._clock_sets = clock_sets
        self._placing = placing
        self._metrics = metrics
        self._backoff = backoff
        self._now_ns = now_ns
        self._can_delete = can_delete
        self._is_failing = False

    async def run(self) -> None:
        """Work for ever; trouble is counted, told once, and tried again."""
        while True:
            try:
                wait_s = PAUSE_S if await self.step() else LOOK_S
            except LinkError as exc:
                self._metrics.backfill_errors.labels(exc.reason).inc()
                if not self._is_failing:
                    _log.warning("history_backfill_failing", error=str(exc), reason=exc.reason)
                self._is_failing = True
                wait_s = self._backoff.next_delay_s()
            else:
                if self._is_failing:
                    _log.info("history_backfill_works_again")
                self._is_failing = False
                self._backoff.reset()
            await asyncio.sleep(wait_s)

    async def step(self) -> bool:
        """Do a part of what is due; returns whether there may be more.

        Raises:
            LinkError: a server does not answer; what was done stays, and the rest is done again when the claim ends.
        """
        task = await self._clock_sets.claim(self._now_ns())
        if task is None:
            return False
        progress = _Progress()
        for policy, time in self._where(task):
            for measurement in MEASUREMENTS:
                await self._do(task, policy, measurement, time, progress)
        # what is refused is found again each time: who only finds such has done what can be done
        is_more = progress.is_more and progress.done > 0
        await self._clock_sets.settle(task.boot, self._now_ns(), is_more=is_more)
        if progress.seen:
            boot = task.boot
            _log.info("history_points_timed", site=boot.site, gateway=boot.gateway, boot=boot.boot_id,
                      points=progress.done, refused=progress.seen - progress.done, is_more=is_more)  # fmt: skip
        return True

    async def close(self) -> None:
        """Close; idempotent. The sink is its owner's."""
        await self._queries.close()

    def _where(self, task: Task) -> list[tuple[str, str]]:
        found = []
        if task.spans.beyond is not None:
            found.append((BEYOND, numbered(*task.spans.beyond)))
        if task.spans.placed is not None and self._can_delete:
            found.append((PLACED, within(Span(*task.spans.placed))))
        return found

    async def _do(self, task: Task, policy: str, measurement: str, time: str, progress: _Progress) -> None:
        question = unsynced(measurement, task.boot, task.moment.mono_ns, time, MAX_POINTS)
        rows = [row async for line in self._queries.ask(question, policy) for _, row in rows_of(line)]
        progress.seen += len(rows)
        progress.is_more |= len(rows) == MAX_POINTS
        found = [one for row in rows if (one := self._read(task, row)) is not None]
        rejected = await self._sink.write([one.new for one in found])
        refused = {(item.point.stream_id, item.point.record.seq) for item in rejected}
        for item in rejected:
            self._metrics.not_backfilled.labels(item.reason).inc()
        moved = [one for one in found if (one.new.stream_id, one.new.record.seq) not in refused]
        if policy == BEYOND:
            await self._sink.overwrite(BEYOND, [(one.new, one.time_ns) for one in moved])
        else:
            await self._delete(moved)
        progress.done += len(moved)
        self._metrics.backfilled.labels(policy).inc(len(moved))

    def _read(self, task: Task, row: Row) -> _Found | None:
        """Return a point with its time; None where it was not written by this schema."""
        values = row.values
        try:
            record = record_of(
                Row(row.measurement, {tag: values.get(tag) or "" for tag in ("source", "place")}, values)
            )
        except (msgspec.ValidationError, KeyError, ValueError):
            self._metrics.not_backfilled.labels("unreadable").inc()
            return None
        boot = task.boot
        old = StoredRecord(f"{boot.site}.{boot.gateway}.{values['stream']}", boot.site, boot.gateway, record)
        return _Found(values["time"], row.measurement, old, old._replace(record=task.moment.give(record)))

    async def _delete(self, moved: list[_Found]) -> None:
        """Delete what lies at the wrong time, but for a point whose right time is the same."""
        statements = []
        for one in moved:
            record = one.new.record
            if self._placing.place(record.observed_at_ns, record.seq, self._now_ns()) == (PLACED, one.time_ns):
                continue
            stream = one.old.stream_id.split(".", 2)[2]
            statements.append(deletion(one.measurement, one.old.site, one.old.gateway, stream, one.time_ns))
        for start in range(0, len(statements), DELETIONS):
            async for line in self._queries.ask(together(statements[start : start + DELETIONS])):
                rows_of(line)
