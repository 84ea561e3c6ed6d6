"""The streams that are not whole, in the operations database."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from cloud_api.accounting.models import OpenStream
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import open_streams
from cloud_api.operations.upsert import Columns, upsert_many


class SqlOpenStreamStore:
    """``OpenStreamStore`` on the operations database."""

    def __init__(self, database: OperationsDatabase) -> None:
        self._database = database

    async def load(self) -> list[OpenStream]:
        """See ``OpenStreamStore``."""
        query = sa.select(open_streams).order_by(open_streams.c.stream_id)
        async with self._database.reading("load open streams") as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [OpenStream(row["stream_id"], row["produced"], row["since_ns"]) for row in rows]

    async def save(self, changed: Sequence[OpenStream], closed: Sequence[str]) -> None:
        """See ``OpenStreamStore``."""
        rows = [{"stream_id": one.stream_id, "produced": one.produced, "since_ns": one.since_ns} for one in changed]
        forget = sa.delete(open_streams).where(open_streams.c.stream_id == sa.bindparam("closed"))
        async with self._database.transaction("save open streams") as connection:
            await upsert_many(connection, open_streams, rows, ["stream_id"], _replaced)
            if closed:
                await connection.execute(forget, [{"closed": stream_id} for stream_id in sorted(closed)])


def _replaced(new: Columns, _old: Columns) -> dict[str, Any]:
    return {name: new[name] for name in ("produced", "since_ns")}
