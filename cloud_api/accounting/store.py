"""Streams that are not whole and alarms of streams, in the operations database."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.accounting.models import OpenStream, Settlement, StreamAlarm
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import open_streams, stream_alarms
from cloud_api.operations.upsert import Columns, upsert_many
from cloud_api.tracking.lease_store import fence

MAX_CLEARED = 10_000
"""Cleared alarms kept of all sites: years of a fleet in order, hours of one that is not; the oldest go."""


class SqlJudgementStore:
    """``JudgementStore`` on the operations database.

    Args:
        database: where.
        max_cleared: cleared alarms kept.
    """

    def __init__(self, database: OperationsDatabase, max_cleared: int = MAX_CLEARED) -> None:
        self._database = database
        self._max_cleared = max_cleared

    async def load(self) -> list[OpenStream]:
        """See ``JudgementStore``."""
        query = sa.select(open_streams).order_by(open_streams.c.stream_id)
        async with self._database.reading("load open streams") as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [OpenStream(row["stream_id"], row["produced"], row["since_ns"]) for row in rows]

    async def standing(self) -> list[StreamAlarm]:
        """See ``JudgementStore``."""
        columns = stream_alarms.c
        query = sa.select(columns.stream_id, columns.raised_ns, columns.verdict, columns.records)
        query = query.where(columns.cleared_ns.is_(None)).order_by(columns.stream_id)
        async with self._database.reading("load alarms") as connection:
            return [StreamAlarm(*row) for row in (await connection.execute(query)).all()]

    async def settle(self, site: str, epoch: int, settlement: Settlement) -> None:
        """See ``JudgementStore``."""
        async with self._database.transaction("settle accounts") as connection:
            await fence(connection, site, epoch)
            await _clear(connection, epoch, settlement)
            await _raise(connection, epoch, settlement.raised)
            await _keep(connection, settlement.changed, settlement.closed)
            if settlement.cleared:
                await self._forget(connection)

    async def _forget(self, connection: AsyncConnection) -> None:
        columns = stream_alarms.c
        kept = sa.select(columns.cleared_ns).where(columns.cleared_ns.is_not(None))
        oldest = kept.order_by(columns.cleared_ns.desc()).offset(self._max_cleared - 1).limit(1).scalar_subquery()
        # where fewer are kept there is no such moment, and nothing is older than it
        await connection.execute(sa.delete(stream_alarms).where(columns.cleared_ns < oldest))


async def _raise(connection: AsyncConnection, epoch: int, raised: Sequence[StreamAlarm]) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rows = [
        {
            "stream_id": one.stream_id, "raised_ns": one.raised_ns, "verdict": one.verdict, "records": one.records,
            "raised_epoch": epoch,
        }
        for one in raised
    ]  # fmt: skip
    if rows:
        # a stream has one alarm that stands: the unique index says so, whatever two processes believe
        await connection.execute(insert(stream_alarms).on_conflict_do_nothing(), rows)


async def _clear(connection: AsyncConnection, epoch: int, settlement: Settlement) -> None:
    columns = stream_alarms.c
    is_it = (columns.stream_id == sa.bindparam("of_stream")) & (columns.raised_ns == sa.bindparam("since"))
    change = sa.update(stream_alarms).where(is_it & columns.cleared_ns.is_(None))
    change = change.values(cleared_ns=settlement.cleared_ns, cleared_epoch=epoch)
    if settlement.cleared:
        rows = [{"of_stream": one.stream_id, "since": one.raised_ns} for one in settlement.cleared]
        await connection.execute(change, rows)


async def _keep(connection: AsyncConnection, changed: Sequence[OpenStream], closed: Sequence[str]) -> None:
    rows = [{"stream_id": one.stream_id, "produced": one.produced, "since_ns": one.since_ns} for one in changed]
    await upsert_many(connection, open_streams, rows, ["stream_id"], _replaced)
    if closed:
        forget = sa.delete(open_streams).where(open_streams.c.stream_id == sa.bindparam("closed"))
        await connection.execute(forget, [{"closed": stream_id} for stream_id in sorted(closed)])


def _replaced(new: Columns, _old: Columns) -> dict[str, Any]:
    return {name: new[name] for name in ("produced", "since_ns")}
