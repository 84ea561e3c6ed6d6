"""The questions to an InfluxDB, as InfluxQL. Sans-io: whose points, which span, in; statements out.

Every name and value is quoted by ``influxql``. A span is asked for by whole milliseconds, which is what the time of a
point is good for; who needs it exact looks at ``at_ns``.
"""

from collections.abc import Sequence

from cloud_api.history.channels import NO_SERIES
from cloud_api.history.clock_sets_policy import Boot
from cloud_api.history.influx.influxql import duration, integer, name, text
from cloud_api.history.influx.schema import (
    COSINE,
    MEASUREMENTS,
    MILLISECOND_NS,
    SINE,
    averaged_fields,
    directions,
    numbered_fields,
    slot_of,
    tag_value,
)
from cloud_api.history.reading import SeriesId, Span

FIX = ("lon_deg", "lat_deg", "sog_kn", "cog_deg", "heading_deg")
WHOSE = ("site", "gateway", "stream")
"""Tags that make the stream id, which with the number tells a record from every other."""
_FIX_COLUMNS = ", ".join(name(column) for column in (*FIX, "at_ns", "seq", *WHOSE))
LOOKED_AT = 100
"""Points of a series in which vessels that share it are looked for: with five of them that report each 10 s the last
200 s, longer than a moored ship is silent. All points of an hour would cost by the record."""
SENSOR_TAGS = ("site", "gateway", "source", "place", "aspect")
KEPT_MEASUREMENTS = tuple(item for item in MEASUREMENTS if item not in ("log", "health"))
"""Measurements whose newest points show the present."""
SENSOR_MEASUREMENTS = tuple(item for item in MEASUREMENTS if item not in NO_SERIES)


def within(span: Span) -> str:
    """Return the condition that a point lies in a span, to the millisecond."""
    first_ns = span.from_ns // MILLISECOND_NS * MILLISECOND_NS
    end_ns = (span.to_ns // MILLISECOND_NS + 1) * MILLISECOND_NS
    return f"time >= {integer(first_ns)} AND time < {integer(end_ns)}"


def of_vessel(mmsi: int) -> str:
    """Return the condition that a point is a position of a vessel."""
    slot, number = text(slot_of(mmsi)), integer(mmsi)
    return f'"slot" = {slot} AND ("aspect" = \'position\' OR "aspect" = \'both\') AND "mmsi" = {number}'


def of_sensor(series: SeriesId) -> str:
    """Return the condition that a point is of a fixed sensor.

    Raises:
        PeerError: no sensor has such a name (``bad_name``).
    """
    gateway, _, source = series.observer.partition(".")
    aspect = series.sensor if "." in series.sensor else ""
    placed = f'"place" = {_tag(series.observer)}'
    unplaced = f'("place" = \'\' AND "gateway" = {_tag(gateway)} AND "source" = {_tag(source)})'
    observer = f"({placed} OR {unplaced})" if source else placed
    return f'"site" = {_tag(series.site)} AND {observer} AND "aspect" = {_tag(aspect)}'


def measurement_named(sensor: str) -> str | None:
    """Return the measurement of a sensor, None where there is none."""
    measurement = sensor.partition(".")[0]
    return measurement if measurement in SENSOR_MEASUREMENTS else None


def fixes(mmsi: int, span: Span, limit: int, *, is_newest_first: bool = False) -> str:
    """Return the question for positions of a vessel in order of time."""
    order = " ORDER BY time DESC" if is_newest_first else ""
    return f"SELECT {_FIX_COLUMNS} {_of_fixes(mmsi, span)}{order} LIMIT {integer(limit)}"


def fix_extremes(mmsi: int, span: Span, width_ns: int) -> str:
    """Return the questions for a thinned track: number, of each bucket first, slowest and fastest, and the last."""
    source = _of_fixes(mmsi, span)
    bucket = f"GROUP BY time({duration(width_ns)}) fill(none)"
    chosen = ("first(lat_deg) AS chosen", "min(sog_kn) AS chosen", "max(sog_kn) AS chosen")
    return "; ".join((
        f"SELECT count(lat_deg) AS stored {source}",
        *(f"SELECT {selector}, {_FIX_COLUMNS} {source} {bucket}" for selector in chosen),
        f"SELECT {_FIX_COLUMNS} {source} ORDER BY time DESC LIMIT 1",
    ))  # fmt: skip


def observations(measurement: str, series: SeriesId, span: Span, limit: int) -> str:
    """Return the question for points of a sensor, or for its rolled-up minutes, in order of time."""
    condition = f"{of_sensor(series)} AND {within(span)}"
    return f"SELECT * FROM {name(measurement)} WHERE {condition} LIMIT {integer(limit)}"  # noqa: S608 - quoted


def newest_of_sensor(measurement: str, series: SeriesId, span: Span) -> str:
    """Return the question for the newest point of a sensor in a span, which tells what channels it has."""
    condition = f"{of_sensor(series)} AND {within(span)}"
    return f"SELECT * FROM {name(measurement)} WHERE {condition} ORDER BY time DESC LIMIT 1"  # noqa: S608 - quoted


def sums(measurement: str, series: SeriesId, span: Span, width_ns: int, channels: frozenset[str] | None) -> str | None:
    """Return the question for sums of a sensor's channels by buckets; None where it has no such channel."""
    fields, numbered, turning = _wanted(measurement, channels)
    parts = []
    for function in ("min", "max", "sum", "count"):
        parts += [f"{function}({name(field)}) AS {name(f'{function}_{field}')}" for field in fields]
        parts += [f"{function}(/{pattern}/)" for pattern in numbered]
    for field in turning:
        parts += [f"sum({name(field + part)}) AS {name(f'sum_{field}{part}')}" for part in (COSINE, SINE)]
        parts.append(f"count({name(field)}) AS {name(f'count_{field}')}")
    source = f"FROM {name(measurement)} WHERE {of_sensor(series)} AND {within(span)}"
    return f"SELECT {', '.join(parts)} {source} GROUP BY time({duration(width_ns)}) fill(none)" if parts else None


def unsynced(measurement: str, boot: Boot, mono_ns: int, time: str, limit: int) -> str:
    """Return the question for points of a boot whose clock was not believed, with all their tags.

    Args:
        measurement: which.
        boot: of which gateway.
        mono_ns: not after this moment of the boot, ns.
        time: condition on the time of the points.
        limit: at most so many.
    """
    whose = f"{_of_gateway(boot.site, boot.gateway)} AND {name('boot')} = {text(boot.boot_id)}"
    before = f"{name('record_mono_ns')} >= 0 AND {name('record_mono_ns')} <= {integer(mono_ns)}"
    condition = f"{whose} AND {name('clock')} = 'unsynced' AND {before} AND {time}"
    return f"SELECT * FROM {name(measurement)} WHERE {condition} LIMIT {integer(limit)}"  # noqa: S608 - quoted


def numbered(first_seq: int, last_seq: int) -> str:
    """Return the condition that a point beyond the retention has one of these numbers, which are its time."""
    return f"time >= {integer(first_seq)} AND time <= {integer(last_seq)}"


def deletion(measurement: str, site: str, gateway: str, stream: str, time_ns: int) -> str:
    """Return the statement that deletes a point, which stream and time tell from every other."""
    whose = f"{_of_gateway(site, gateway)} AND {name('stream')} = {_tag(stream)}"
    return f"DELETE FROM {name(measurement)} WHERE {whose} AND time = {integer(time_ns)}"  # noqa: S608 - quoted


def ends() -> str:
    """Return the questions for the first and the last point of each sensor."""
    tags = ", ".join(name(tag) for tag in SENSOR_TAGS)
    return "; ".join(
        f"SELECT * FROM {name(measurement)} GROUP BY {tags} ORDER BY time {order} LIMIT 1"  # noqa: S608 - quoted
        for measurement in SENSOR_MEASUREMENTS
        for order in ("ASC", "DESC")
    )


def newest(measurement: str, since_ns: int) -> str:
    """Return the question for the newest point of each series of the server."""
    condition = f"{_since(since_ns)} AND \"aspect\" != 'other'"
    return f"SELECT * FROM {name(measurement)} WHERE {condition} GROUP BY * ORDER BY time DESC LIMIT 1"  # noqa: S608 - quoted


def vessels_by_slot(since_ns: int) -> str:
    """Return the question for the MMSIs that share a series, by its newest ``LOOKED_AT`` points."""
    source = f"FROM {name('ais')} WHERE {_since(since_ns)} AND \"aspect\" != 'other'"
    points = f"SELECT mmsi {source} GROUP BY * ORDER BY time DESC LIMIT {LOOKED_AT}"
    # the server demands one order of both
    ending = f"WHERE {_since(since_ns)} GROUP BY * ORDER BY time DESC"
    return f"SELECT distinct(mmsi) AS mmsi FROM ({points}) {ending}"  # noqa: S608 - quoted


def newest_of_vessel(tags: dict[str, str], mmsi: int, since_ns: int) -> str:
    """Return the question for the newest point of a vessel among those that share a series."""
    whose = " AND ".join(f"{name(tag)} = {text(value)}" for tag, value in sorted(tags.items()))
    source = f'FROM {name("ais")} WHERE {whose} AND "mmsi" = {integer(mmsi)} AND {_since(since_ns)}'
    return f"SELECT * {source} GROUP BY * ORDER BY time DESC LIMIT 1"


def together(statements: Sequence[str]) -> str:
    """Return several statements as one question."""
    return "; ".join(statements)


def _of_fixes(mmsi: int, span: Span) -> str:
    return f"FROM {name('ais')} WHERE {of_vessel(mmsi)} AND {within(span)}"


def _of_gateway(site: str, gateway: str) -> str:
    return f"{name('site')} = {_tag(site)} AND {name('gateway')} = {_tag(gateway)}"


def _since(since_ns: int) -> str:
    return f"time >= {integer(since_ns // MILLISECOND_NS * MILLISECOND_NS)}"


def _tag(value: str) -> str:
    return text(tag_value(value))


def _wanted(measurement: str, channels: frozenset[str] | None) -> tuple[list[str], list[str], list[str]]:
    """Return plain fields, patterns of numbered ones, and directions that are asked for."""
    lists = {field: f"^{field}\\.\\d+$" for field in numbered_fields(measurement)}
    if channels is None:
        return averaged_fields(measurement), list(lists.values()), directions(measurement)
    numbered = []
    for field in lists:
        numbers = sorted(channel.rpartition(".")[2] for channel in channels if channel.rpartition(".")[0] == field)
        known = [number for number in numbers if number.isascii() and number.isdigit()]
        if known:
            numbered.append(f"^{field}\\.({'|'.join(known)})$")
    return (
        [field for field in averaged_fields(measurement) if field in channels],
        numbered,
        [field for field in directions(measurement) if field in channels],
    )
