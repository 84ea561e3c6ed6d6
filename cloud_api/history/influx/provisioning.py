"""Makes an InfluxDB 1.x ready: database, retention policies, roll-ups by continuous queries. Idempotent.

It changes the durations of policies that are there already to what the settings say. The name of a roll-up carries a
digest of its text, so that several workers may do this at once and a changed text replaces the old. It never drops a
policy or a database. Servers of 2.x and 3.x are set up by their operator (docs/history_servers.md).

*Source:* InfluxDB 1.x, InfluxQL reference: databases, retention policies, continuous queries.
"""

from dataclasses import dataclass

from cloud_api.history.channels import NO_SERIES
from cloud_api.history.influx.answering import Row, rows_of
from cloud_api.history.influx.influxql import duration, name
from cloud_api.history.influx.ports import QueryEndpoint
from cloud_api.history.influx.schema import (
    BEYOND,
    COSINE,
    MEASUREMENTS,
    PLACED,
    ROLLED_UP,
    SINE,
    averaged_fields,
    directions,
    numbered_fields,
)
from contracts.codec import digest
from contracts.errors import LinkError

MINUTE = "1m"
LATE_BY = "1h"
"""How late a record may come and still be in its minute's roll-up: longer outages are rolled up by hand, as
docs/history_servers.md says."""
SHARD_OF_BEYOND_NS = 52 * 7 * 86_400 * 10**9
"""What lies beyond is stored by number, from 1970 on: one shard holds it all."""
QUERY_PREFIX = "porttrack_1m_"


@dataclass(frozen=True)
class Retention:
    """How long what is kept, ns; 0 of ``rolled_up_ns`` keeps no roll-ups."""

    placed_ns: int
    rolled_up_ns: int


async def provision(queries: QueryEndpoint, database: str, retention: Retention) -> None:
    """Make the database ready.

    Args:
        queries: the server.
        database: its name.
        retention: how long what is kept.

    Raises:
        LinkError: the server cannot be reached, or refuses.
    """
    if database not in {row.values["name"] for row in await _ask(queries, "SHOW DATABASES")}:
        await _ask(queries, f"CREATE DATABASE {name(database)} WITH DURATION {_duration(retention.placed_ns)} "
                            f"REPLICATION 1 NAME {name(PLACED)}")  # fmt: skip
    await _set_policy(queries, database, PLACED, _duration(retention.placed_ns), " DEFAULT")
    await _set_policy(queries, database, BEYOND, f"INF REPLICATION 1 SHARD DURATION {duration(SHARD_OF_BEYOND_NS)}")
    if retention.rolled_up_ns:
        await _set_policy(queries, database, ROLLED_UP, _duration(retention.rolled_up_ns))
    await _set_roll_ups(queries, database, is_wanted=retention.rolled_up_ns > 0)


def roll_up(database: str, measurement: str) -> str:
    """Return the statement that sums a measurement up by minutes; a field's are ``min_{field}`` and likewise.

    The mean is for dashboards; the sum and the count make means of longer times exact.
    """
    parts = []
    for function in ("min", "mean", "max", "sum", "count"):
        parts += [
            f"{function}({name(field)}) AS {name(f'{function}_{field}')}" for field in averaged_fields(measurement)
        ]
        # the server names these by itself, in the same way
        parts += [f"{function}(/^{field}\\.\\d+$/)" for field in numbered_fields(measurement)]
    for field in directions(measurement):
        parts += [f"sum({name(field + part)}) AS {name(f'sum_{field}{part}')}" for part in (COSINE, SINE)]
        parts.append(f"count({name(field)}) AS {name(f'count_{field}')}")
    return (
        f"SELECT {', '.join(parts)} INTO {name(database)}.{name(ROLLED_UP)}.{name(measurement)} "  # noqa: S608 - quoted
        f"FROM {name(database)}.{name(PLACED)}.{name(measurement)} GROUP BY time({MINUTE}), *"
    )


def rolled_up_measurements() -> list[str]:
    """Return the measurements that have roll-ups: fixed sensors with numbers."""
    return [item for item in MEASUREMENTS if item not in NO_SERIES and _has_numbers(item)]


def _has_numbers(measurement: str) -> bool:
    return bool(averaged_fields(measurement) or numbered_fields(measurement) or directions(measurement))


async def _set_policy(queries: QueryEndpoint, database: str, policy: str, rule: str, more: str = "") -> None:
    known = await _ask(queries, f"SHOW RETENTION POLICIES ON {name(database)}")
    if policy in {row.values["name"] for row in known}:
        await _ask(queries, f"ALTER RETENTION POLICY {name(policy)} ON {name(database)} DURATION {rule}{more}")
    else:
        replication = "" if "REPLICATION" in rule else " REPLICATION 1"
        await _ask(
            queries, f"CREATE RETENTION POLICY {name(policy)} ON {name(database)} DURATION {rule}{replication}{more}"
        )


async def _set_roll_ups(queries: QueryEndpoint, database: str, *, is_wanted: bool) -> None:
    rows = await _ask(queries, "SHOW CONTINUOUS QUERIES")
    present = {row.values["name"] for row in rows if row.measurement == database}
    texts = {item: roll_up(database, item) for item in rolled_up_measurements()} if is_wanted else {}
    wanted = {f"{QUERY_PREFIX}{item}_{digest(text.encode())[:8]}": text for item, text in texts.items()}
    for query in present - wanted.keys():
        if query.startswith(QUERY_PREFIX):
            await _ask(queries, f"DROP CONTINUOUS QUERY {name(query)} ON {name(database)}")
    for query in wanted.keys() - present:
        begin = f"CREATE CONTINUOUS QUERY {name(query)} ON {name(database)} RESAMPLE EVERY {MINUTE} FOR {LATE_BY}"
        await _ask(queries, f"{begin} BEGIN {wanted[query]} END")


def _duration(nanoseconds: int) -> str:
    hour_ns = 3600 * 10**9
    # the server takes whole hours at least
    return duration(max(hour_ns, -(-nanoseconds // hour_ns) * hour_ns))


async def _ask(queries: QueryEndpoint, statement: str) -> list[Row]:
    try:
        return [row async for line in queries.ask(statement) for _, row in rows_of(line)]
    except LinkError as exc:
        hint = "the user needs all privileges on the database, see docs/history_servers.md"
        raise LinkError("provision history server", statement[:120], exc.cause, hint, exc.reason) from exc
