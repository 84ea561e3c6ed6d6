"""The newest record of each series out of an InfluxDB: what the live picture is filled with at a start.

A series of the server is of a slot, which several vessels may share: the newest point of each series is one vessel's,
and the others of the slot are asked for one by one. Both looks are bounded by the number of series, not of records
(docs/adr/0151).

A server shows a point field by field as it takes it in: the newest point of a series may be half there. Such a row is
no record; the question is put again.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

import msgspec
import structlog

from cloud_api.history.influx.answering import Row, rows_of
from cloud_api.history.influx.ports import QueryEndpoint
from cloud_api.history.influx.questions import KEPT_MEASUREMENTS, newest, newest_of_vessel, together, vessels_by_slot
from cloud_api.history.influx.schema import PLACED, aspect_of, payload_from, value_of_tag
from cloud_api.history.series import SeriesKey, series_key
from contracts.records import Clock, ClockState, Record

MAX_SHARING = 10_000
"""Vessels that are asked for one by one, some seconds. In a flood of false MMSIs the rest are left to the bus, which
fills the picture within a reporting interval."""
STATEMENTS = 200
"""Questions a request."""
MAX_TIMES = 3
"""Times that the newest points are asked for while some are half there: a write shows whole within milliseconds. What
is half there then is left to the bus."""

_ALWAYS = ("at_ns", "seq", "clock", "record_mono_ns", "boot")
"""Columns that every point has."""

_log = structlog.get_logger(__name__)

Latest = tuple[str, str, Record]


async def latest_observations(queries: QueryEndpoint, since_ns: int) -> list[Latest]:
    """Return the newest record of each series, see ``HistoryReader.latest_observations``."""
    found: dict[SeriesKey, Latest] = {}
    for _ in range(MAX_TIMES):
        half = await _look(queries, [newest(measurement, since_ns) for measurement in KEPT_MEASUREMENTS], found)
        if not half:
            break
    for statements in _in_parts([line async for line in queries.ask(vessels_by_slot(since_ns), PLACED)], since_ns):
        half += await _look(queries, statements, found)
    if half:
        _log.warning("latest_observations_half_written", points=half)
    return sorted(found.values(), key=lambda item: item[2].observed_at_ns)


async def _look(queries: QueryEndpoint, statements: list[str], found: dict[SeriesKey, Latest]) -> int:
    """Keep what is newer than what was found; return how many points were half there."""
    half = 0
    async for line in queries.ask(together(statements), PLACED):
        for _, row in rows_of(line):
            half += not _keep(found, row)
    return half


def _in_parts(lines: list[bytes], since_ns: int) -> Iterator[list[str]]:
    """Yield the questions for vessels that share a series, so many a request."""
    sharing: dict[tuple[tuple[str, str], ...], set[int]] = defaultdict(set)
    for line in lines:
        for _, row in rows_of(line):
            sharing[tuple(sorted(row.tags.items()))].add(int(row.values["mmsi"]))
    pairs = [(dict(tags), mmsi) for tags, vessels in sharing.items() if len(vessels) > 1 for mmsi in sorted(vessels)]
    if len(pairs) > MAX_SHARING:
        _log.warning("latest_observations_cut", vessels=len(pairs), asked=MAX_SHARING)
    questions = iter(newest_of_vessel(tags, mmsi, since_ns) for tags, mmsi in pairs[:MAX_SHARING])
    while part := list(islice(questions, STATEMENTS)):
        yield part


def _keep(found: dict[SeriesKey, Latest], row: Row) -> bool:
    tags = row.tags
    record = _whole_record(row)
    if record is None:
        return False
    key = series_key(tags["site"], tags["gateway"], record)
    known = found.get(key)
    if known is None or known[2].observed_at_ns < record.observed_at_ns:
        found[key] = (tags["site"], tags["gateway"], record)
    return True


def _whole_record(row: Row) -> Record | None:
    """Return the record of a point, None while fields of it are missing that it must have."""
    if any(row.values.get(column) is None for column in _ALWAYS):
        return None
    try:
        record = record_of(row)
    except msgspec.ValidationError:
        return None
    # what the tag says of its content must be there: a position without a latitude is none
    return record if aspect_of(row.measurement, record.payload) == value_of_tag(row.tags.get("aspect", "")) else None


def record_of(row: Row) -> Record:
    """Return the record of a point that was grouped by all its tags."""
    values = row.values
    return Record(
        seq=values["seq"],
        observed_at_ns=values["at_ns"],
        clock=Clock(state=ClockState(values["clock"]), error_ms=_float(values.get("clock_error_ms"))),
        mono_ns=values["record_mono_ns"],
        boot_id=values["boot"],
        source=value_of_tag(row.tags.get("source", "")),
        payload=payload_from(row.measurement, values),
        place=value_of_tag(row.tags.get("place", "")) or None,
        raw=values.get("raw"),
        mean_of=values.get("mean_of") or 0,
        original_at_ns=values.get("original_at_ns"),
    )


def _float(value: float | None) -> float | None:
    return None if value is None else msgspec.convert(value, float, strict=False)
