"""Keeps refused payloads in the operations database, within a cap."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.ingest.judging_policy import Refused
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.storable_text import storable
from cloud_api.operations.tables import poison_batches
from cloud_api.operations.upsert import upsert
from contracts.codec import digest
from contracts.limits import MAX_BATCH_BYTES

MAX_TOTAL_BYTES = 64 * 1024 * 1024
"""All payloads kept: 256 of the largest; enough to see what a bad release sends, too little to fill a disk."""
MAX_ROWS = 10_000
"""Rows kept: bounds what a flood of tiny payloads can take."""


class SqlPoisonStore:
    """``PoisonStore`` on the operations database; the payloads seen longest ago go first.

    Args:
        database: where.
        max_total_bytes: cap of all payloads together.
        max_rows: cap of rows.
    """

    def __init__(
        self, database: OperationsDatabase, max_total_bytes: int = MAX_TOTAL_BYTES, max_rows: int = MAX_ROWS
    ) -> None:
        self._database = database
        self._max_total_bytes = max_total_bytes
        self._max_rows = max_rows

    async def set_aside(self, refused: Refused, received_at_ns: int) -> int:
        """See ``PoisonStore``."""
        # what is over the size of a batch is kept cut: its head says what it was
        kept = refused.data[:MAX_BATCH_BYTES]
        row = {
            "site": refused.topic.site,
            "gateway": refused.topic.gateway,
            "digest": digest(refused.data),
            "reason": refused.reason,
            "cause": storable(refused.cause, 500),
            "stream_id": storable(refused.stream_id, 160),
            "first_seq": str(refused.first_seq)[:40],
            "last_seq": str(refused.last_seq)[:40],
            "size_bytes": len(refused.data),
            "kept_bytes": len(kept),
            "payload": kept,
            "times_seen": 1,
            "first_seen_ns": received_at_ns,
            "last_seen_ns": received_at_ns,
        }
        changes = {
            "times_seen": poison_batches.c.times_seen + 1,
            "last_seen_ns": received_at_ns,
            "reason": refused.reason,
        }
        async with self._database.transaction("set batch aside") as connection:
            await upsert(connection, poison_batches, row, ["site", "gateway", "digest"], changes)
            return await self._evict(connection)

    async def counts(self) -> dict[str, int]:
        """Return how many different payloads are kept, by reason.

        Raises:
            LinkError: the database cannot be read now.
        """
        query = sa.select(poison_batches.c.reason, sa.func.count()).group_by(poison_batches.c.reason)
        async with self._database.reading("count batches set aside") as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def _evict(self, connection: AsyncConnection) -> int:
        table = poison_batches.c
        totals = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(table.kept_bytes), 0))
        rows, kept_bytes = (await connection.execute(totals)).one()
        if rows <= self._max_rows and kept_bytes <= self._max_total_bytes:
            return 0
        newest_first = (table.last_seen_ns.desc(), table.poison_id.desc())
        ranked = sa.select(
            table.poison_id,
            sa.func.row_number().over(order_by=newest_first).label("rank"),
            sa.func.sum(table.kept_bytes).over(order_by=newest_first).label("running_bytes"),
        ).subquery()
        over = sa.or_(ranked.c.rank > self._max_rows, ranked.c.running_bytes > self._max_total_bytes)
        doomed = sa.select(ranked.c.poison_id).where(over)
        result = await connection.execute(sa.delete(poison_batches).where(table.poison_id.in_(doomed)))
        return int(result.rowcount)
