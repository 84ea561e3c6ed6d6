"""Keeps points that a history server refuses in the operations database, within a cap."""

from collections.abc import Callable, Sequence
from time import time_ns

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.history.models import Rejected
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.storable_text import storable
from cloud_api.operations.tables import quarantined_points
from cloud_api.operations.upsert import upsert_many

MAX_ROWS = 10_000
"""Points kept, 2 to 80 MB: enough to see what a bad release sends, too little to fill a disk."""

_ENCODER = msgspec.json.Encoder()


class SqlPointQuarantine:
    """``PointQuarantine`` on the operations database; the points seen longest ago go first.

    Args:
        database: where.
        max_rows: cap of points.
        now_ns: UTC ns.
    """

    def __init__(
        self, database: OperationsDatabase, max_rows: int = MAX_ROWS, now_ns: Callable[[], int] = time_ns
    ) -> None:
        self._database = database
        self._max_rows = max_rows
        self._now_ns = now_ns

    async def keep(self, rejected: Sequence[Rejected]) -> int:
        """See ``PointQuarantine``."""
        now_ns = self._now_ns()
        # one number once: a group may hold a batch twice
        rows = {(row["stream_id"], row["seq"]): row for row in (_row(item, now_ns) for item in rejected)}
        async with self._database.transaction("set points aside") as connection:
            await upsert_many(
                connection, quarantined_points, list(rows.values()), ["stream_id", "seq"],
                lambda new, old: {
                    "times_seen": old.times_seen + 1, "last_seen_ns": new.last_seen_ns, "reason": new.reason,
                    "cause": new.cause,
                },
            )  # fmt: skip
            return await self._evict(connection)

    async def counts(self) -> dict[str, int]:
        """Return how many points are kept, by reason.

        Raises:
            LinkError: the database cannot be read now.
        """
        query = sa.select(quarantined_points.c.reason, sa.func.count()).group_by(quarantined_points.c.reason)
        async with self._database.reading("count points set aside") as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def _evict(self, connection: AsyncConnection) -> int:
        table = quarantined_points.c
        rows = (await connection.execute(sa.select(sa.func.count()).select_from(quarantined_points))).scalar_one()
        if rows <= self._max_rows:
            return 0
        newest_first = (table.last_seen_ns.desc(), table.point_id.desc())
        kept = sa.select(table.point_id).order_by(*newest_first).limit(self._max_rows)
        result = await connection.execute(sa.delete(quarantined_points).where(table.point_id.not_in(kept)))
        return int(result.rowcount)


def _row(item: Rejected, now_ns: int) -> dict[str, object]:
    point = item.point
    return {
        "stream_id": point.stream_id[:160],
        "seq": point.record.seq,
        "kind": str(type(point.record.payload).__struct_config__.tag)[:40],
        "reason": item.reason[:40],
        "cause": storable(item.cause, 500),
        "record": _document(item),
        "times_seen": 1,
        "first_seen_ns": now_ns,
        "last_seen_ns": now_ns,
    }


def _document(item: Rejected) -> bytes:
    """Return the record as JSON, or as Python writes it where JSON has no words: no Unicode, no finite number."""
    try:
        text = _ENCODER.encode(item.point.record)
    except (ValueError, TypeError, OverflowError):
        return repr(item.point.record).encode(errors="backslashreplace")
    # JSON has null for what is no number, which is the very thing to be seen
    return repr(item.point.record).encode(errors="backslashreplace") if item.reason == "not_finite" else text
