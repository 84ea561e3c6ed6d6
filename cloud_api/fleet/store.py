"""The fleet registry's rows in the operations database."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from cloud_api.fleet.models import GatewayEntry
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import gateways
from cloud_api.operations.upsert import Columns, newest, upsert_many
from contracts.health import GatewayStatus


class SqlGatewayStore:
    """``GatewayStore`` on the operations database."""

    def __init__(self, database: OperationsDatabase) -> None:
        self._database = database

    async def save(self, entries: Sequence[GatewayEntry]) -> None:
        """See ``GatewayStore``."""
        rows = [
            {
                "site": entry.status.site,
                "gateway": entry.status.gateway,
                "first_seen_ns": entry.first_seen_ns,
                "last_seen_ns": entry.last_seen_ns,
                "clock_offset_ms": entry.clock_offset_ms,
                "status": msgspec.to_builtins(entry.status),
            }
            for entry in entries
        ]
        async with self._database.transaction("save gateways") as connection:
            await upsert_many(connection, gateways, rows, ["site", "gateway"], _newest)

    async def load(self) -> list[GatewayEntry]:
        """See ``GatewayStore``."""
        columns = gateways.c
        query = sa.select(gateways).order_by(columns.site, columns.gateway)
        async with self._database.reading("load gateways") as connection:
            rows = (await connection.execute(query)).mappings().all()
        entries = []
        for row in rows:
            try:
                status = msgspec.convert(row["status"], GatewayStatus)
            except msgspec.ValidationError as exc:
                structlog.get_logger(__name__).warning(
                    "gateway_unreadable", site=row["site"], gateway=row["gateway"], error=str(exc)
                )
                continue
            seen = (row["first_seen_ns"], row["last_seen_ns"])
            entries.append(GatewayEntry(status, *seen, row["clock_offset_ms"]))
        return entries


def _newest(new: Columns, old: Columns) -> dict[str, Any]:
    return newest(new, old, ["clock_offset_ms", "status"], "last_seen_ns")
