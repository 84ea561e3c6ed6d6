"""Gives points from a clock that was not set yet their time as they are written, where it is known by then.

What a gateway tells of a boot is kept before its points are written, and so is where points lie whose time is not
known yet: whoever gives it to them later (``clock_backfill``) looks there, whatever dies in between. Points of a clock
that is believed pass without a question to anybody.
"""

import re
from collections.abc import Callable, Sequence

from cloud_api.history.clock_sets_policy import Boot, Moment, Spans, moment_of
from cloud_api.history.influx.metrics import InfluxMetrics
from cloud_api.history.influx.placing_policy import Placing
from cloud_api.history.influx.schema import PLACED
from cloud_api.history.models import Rejected, StoredRecord
from cloud_api.history.ports import PointSink
from cloud_api.history.sql_clock_sets import SqlClockSets
from contracts.payloads import ClockSet
from contracts.records import ClockState

STEP_NS = 600 * 10**9
STEP_SEQ = 4_096
"""Spans are noted in whole steps, so that a boot writes its row every ten minutes and not with every group."""
NOTED_NS = 60 * 10**9
"""How long a note is relied upon: far less than ``LATE_WRITES_NS``, which counts from it."""
MAX_CACHED = 4_096
"""Boots remembered; beyond it all are asked for anew."""
_BOOT_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)
"""Ids of boots that are kept; ours are the kernel's, 36 letters. Points of another stay as they came."""


class TimedSink:
    """``PointSink`` before another.

    Args:
        sink: writes.
        clock_sets: moments and spans.
        placing: where a record belongs by its time.
        metrics: counters.
        now_ns: UTC ns.
    """

    def __init__(
        self,
        sink: PointSink,
        clock_sets: SqlClockSets,
        placing: Placing,
        metrics: InfluxMetrics,
        now_ns: Callable[[], int],
    ) -> None:
        self._sink = sink
        self._clock_sets = clock_sets
        self._placing = placing
        self._metrics = metrics
        self._now_ns = now_ns
        self._moments: dict[Boot, Moment] = {}
        self._noted: dict[Boot, tuple[Spans, int]] = {}

    async def write(self, points: Sequence[StoredRecord]) -> list[Rejected]:
        """See ``PointSink``."""
        for point in points:
            if type(point.record.payload) is ClockSet:
                await self._hear(point)
        places = [
            place for place, point in enumerate(points)
            if point.record.clock.state is ClockState.UNSYNCED and _BOOT_ID.fullmatch(point.record.boot_id)
        ]  # fmt: skip
        return await self._sink.write(await self._timed(points, places) if places else points)

    async def check(self) -> None:
        """See ``PointSink``."""
        await self._sink.check()

    async def close(self) -> None:
        """See ``PointSink``."""
        await self._sink.close()

    async def _hear(self, point: StoredRecord) -> None:
        moment = moment_of(point.record)
        if moment is not None and _BOOT_ID.fullmatch(point.record.boot_id):
            gone = await self._clock_sets.note_moment(_boot(point), moment, self._now_ns())
            self._metrics.clock_sets_dropped.inc(gone)

    async def _timed(self, points: Sequence[StoredRecord], places: list[int]) -> list[StoredRecord]:
        timed = list(points)
        by_boot: dict[Boot, list[int]] = {}
        for place in places:
            by_boot.setdefault(_boot(points[place]), []).append(place)
        unknown = by_boot.keys() - self._moments.keys()
        if unknown:
            if len(self._moments) + len(unknown) > MAX_CACHED:
                self._moments.clear()
            self._moments |= await self._clock_sets.moments(by_boot)
        for boot, found in by_boot.items():
            moment = self._moments.get(boot)
            if moment is None:
                await self._note(boot, [points[place] for place in found])
                continue
            for place in found:
                timed[place] = points[place]._replace(record=moment.give(points[place].record))
        return timed

    async def _note(self, boot: Boot, points: list[StoredRecord]) -> None:
        now_ns = self._now_ns()
        spans = self._spans(points, now_ns)
        known, noted_ns = self._noted.get(boot, (Spans(), 0))
        if known.holds(spans) and 0 <= now_ns - noted_ns < NOTED_NS:
            return
        self._metrics.clock_sets_dropped.inc(await self._clock_sets.note_points(boot, spans, now_ns))
        if len(self._noted) >= MAX_CACHED:
            self._noted.clear()
        self._noted[boot] = (spans, now_ns)

    def _spans(self, points: list[StoredRecord], now_ns: int) -> Spans:
        placed: list[int] = []
        beyond: list[int] = []
        for point in points:
            record = point.record
            is_placed = self._placing.place(record.observed_at_ns, record.seq, now_ns).policy == PLACED
            (placed if is_placed else beyond).append(record.observed_at_ns if is_placed else record.seq)
        return Spans(_hull(placed, STEP_NS), _hull(beyond, STEP_SEQ))


def _hull(values: list[int], step: int) -> tuple[int, int] | None:
    if not values:
        return None
    return min(values) // step * step, (max(values) // step + 1) * step - 1


def _boot(point: StoredRecord) -> Boot:
    return Boot(point.site, point.gateway, point.record.boot_id)
