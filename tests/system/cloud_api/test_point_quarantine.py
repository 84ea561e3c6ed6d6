"""Points that a history server refuses, kept in the operations database: SQLite and PostgreSQL."""

import math

import msgspec
import pytest
import sqlalchemy as sa

from cloud_api.history.models import Rejected
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.point_quarantine import SqlPointQuarantine
from cloud_api.operations.tables import quarantined_points
from contracts.payloads import Log, Payload, Wind
from contracts.records import Record
from tests.support.batches import batch, record
from tests.support.influx_sink import stored

pytestmark = pytest.mark.system

EXAMPLE = Wind(speed_mps=3.0)


def rejected(seq: int, payload: Payload = EXAMPLE, reason: str = "type_conflict", cause: str = "400") -> Rejected:
    (point,) = stored(batch(seq, seq, records=[record(seq, payload)]))
    return Rejected(point, reason, cause)


async def kept(database: OperationsDatabase) -> list[tuple[int, str, int, bytes]]:
    columns = quarantined_points.c
    query = sa.select(columns.seq, columns.reason, columns.times_seen, columns.record).order_by(columns.seq)
    async with database.reading("read") as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def test_a_point_is_kept_whole_with_its_reason(operations: OperationsDatabase) -> None:
    assert await SqlPointQuarantine(operations).keep([rejected(1), rejected(2)]) == 0
    rows = await kept(operations)
    assert [row[:3] for row in rows] == [(1, "type_conflict", 1), (2, "type_conflict", 1)]
    assert msgspec.json.decode(rows[0][3], type=Record) == record(1, EXAMPLE)
    assert await SqlPointQuarantine(operations).counts() == {"type_conflict": 2}


async def test_a_point_that_comes_again_only_counts_again(operations: OperationsDatabase) -> None:
    quarantine = SqlPointQuarantine(operations)
    await quarantine.keep([rejected(1), rejected(1)])
    await quarantine.keep([rejected(1)])
    assert [row[:3] for row in await kept(operations)] == [(1, "type_conflict", 2)]


async def test_the_newest_stay_within_the_cap_and_the_rest_is_counted(operations: OperationsDatabase) -> None:
    now = iter(range(1, 100))
    quarantine = SqlPointQuarantine(operations, max_rows=3, now_ns=lambda: next(now))
    evicted = [await quarantine.keep([rejected(seq)]) for seq in range(1, 6)]
    assert evicted == [0, 0, 0, 1, 1]
    assert [row[0] for row in await kept(operations)] == [3, 4, 5]


async def test_what_neither_json_nor_a_database_can_hold_is_kept_all_the_same(operations: OperationsDatabase) -> None:
    bad = [
        rejected(1, Wind(speed_mps=math.nan), "not_finite", "speed_mps=nan"),
        rejected(2, Log(level="info", event="\ud800"), "not_text", "lone \ud800 and \x00"),
    ]
    assert await SqlPointQuarantine(operations).keep(bad) == 0
    rows = await kept(operations)
    assert b"speed_mps=nan" in rows[0][3]
    assert b"\\ud800" in rows[1][3]
