"""The leases in the operations database, by the database's clock: two machines need not agree on the time."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import leases
from cloud_api.tracking.lease_policy import RENEWALS, Answer, Ask, Change
from contracts.errors import LinkError

NS_PER_S = 1_000_000_000
IDLE_LIMIT_MS = 1_000
"""PostgreSQL ends a session that stands still inside a transaction this long: a process that is stopped just there
would keep its row locked, and nobody could take its lease over."""

_CLOCKS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000000 AS BIGINT)",
    # a day number holds a moment of this century to 40 µs
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000000 AS INTEGER)",
}


class SqlLeaseStore:
    """``LeaseStore`` on the operations database."""

    def __init__(self, database: OperationsDatabase) -> None:
        self._database = database

    async def ask(self, holder: str, asks: Sequence[Ask], lease_s: float) -> list[Answer]:
        """See ``LeaseStore``."""
        length_ns = int(lease_s * NS_PER_S)
        async with self._database.transaction("ask for leases") as connection:
            await limit_idling(connection)
            # who stands by asks for every site at every turn: for what lasts over the next one, in one statement
            left_ns = await _others(connection, holder, [ask.site for ask in asks], length_ns // RENEWALS)
            return [
                Answer(ask.site, None, left_ns[ask.site] / NS_PER_S)
                if ask.site in left_ns
                else await _ask(connection, holder, ask, length_ns)
                for ask in asks
            ]

    async def release(self, holder: str, leases: Sequence[Change]) -> None:
        """See ``LeaseStore``."""
        async with self._database.transaction("release leases") as connection:
            await limit_idling(connection)
            for lease in leases:
                statement = _own(connection, holder, lease.site, lease.epoch)
                await connection.execute(statement.values(expires_ns=_now(connection)))


async def fence(connection: AsyncConnection, site: str, epoch: int) -> None:
    """Go on only while the lease is ours, and keep it so until the end of the transaction.

    Args:
        connection: an open transaction; nobody can take the lease before it ends.
        site: site of the lease.
        epoch: epoch that we believe to hold.

    Raises:
        LinkError: it is not ours any more (reason ``lease_lost``); the transaction must not be committed.
    """
    await limit_idling(connection)
    columns = leases.c
    is_ours = (columns.site == site) & (columns.epoch == epoch) & (columns.expires_ns > _now(connection))
    # an UPDATE and no SELECT: it locks on both databases
    done = await connection.execute(sa.update(leases).where(is_ours).values(epoch=epoch))
    if done.rowcount != 1:
        raise LinkError(
            "write as holder of a lease", f"{site} epoch {epoch}", "it is not ours any more", "", "lease_lost"
        )


async def limit_idling(connection: AsyncConnection) -> None:
    """Let the database end this transaction if its process stands still inside it (PostgreSQL only)."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.text(f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_LIMIT_MS}"))


def _now(connection: AsyncConnection) -> sa.ColumnElement[int]:
    return sa.literal_column(_CLOCKS[connection.dialect.name], sa.BigInteger)


def _own(connection: AsyncConnection, holder: str, site: str, epoch: int) -> sa.Update:
    columns = leases.c
    is_ours = (columns.site == site) & (columns.holder == holder) & (columns.epoch == epoch)
    return sa.update(leases).where(is_ours & (columns.expires_ns > _now(connection)))


async def _others(connection: AsyncConnection, holder: str, sites: Sequence[str], beyond_ns: int) -> dict[str, int]:
    """Return how long the leases of other holders last, ns, by site, where that is longer than ``beyond_ns``."""
    left_ns = leases.c.expires_ns - _now(connection)
    is_others = leases.c.site.in_(sites) & (leases.c.holder != holder)
    query = sa.select(leases.c.site, left_ns).where(is_others)
    return {site: left for site, left in await connection.execute(query) if left > beyond_ns}


async def _ask(connection: AsyncConnection, holder: str, ask: Ask, length_ns: int) -> Answer:
    now = _now(connection)
    if ask.epoch is not None:
        renewal = _own(connection, holder, ask.site, ask.epoch).values(expires_ns=now + length_ns)
        if (await connection.execute(renewal)).rowcount == 1:
            return Answer(ask.site, ask.epoch)
    taken = (await connection.execute(_taking(connection, holder, ask.site, length_ns))).scalar_one_or_none()
    if taken is not None:
        return Answer(ask.site, int(taken))
    remaining = sa.select(leases.c.expires_ns - now).where(leases.c.site == ask.site)
    left_ns = (await connection.execute(remaining)).scalar_one_or_none() or 0
    return Answer(ask.site, None, max(0, left_ns) / NS_PER_S)


def _taking(connection: AsyncConnection, holder: str, site: str, length_ns: int) -> Any:  # noqa: ANN401 - of two dialects
    now = _now(connection)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    ours = {"holder": holder, "expires_ns": now + length_ns}
    # our own too: the answer to a question that took it may have been lost
    is_free = (leases.c.expires_ns <= now) | (leases.c.holder == holder)
    return (
        insert(leases)
        .values(site=site, epoch=1, **ours)
        .on_conflict_do_update(index_elements=["site"], set_={"epoch": leases.c.epoch + 1, **ours}, where=is_free)
        .returning(leases.c.epoch)
    )
