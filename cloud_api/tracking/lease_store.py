"""The leases in the operations database, by the database's clock: two machines need not agree on the time."""

import json
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
            # who stands by asks for every site at every turn: what lasts over the next one is not even locked
            left_ns = await _others(connection, holder, [ask.site for ask in asks], length_ns // RENEWALS)
            open_asks = [ask for ask in asks if ask.site not in left_ns]
            ours = await _take(connection, holder, open_asks, length_ns)
            refused = [ask.site for ask in open_asks if ask.site not in ours]
            left_ns |= await _others(connection, holder, refused, 0)
        return [
            Answer(ask.site, ours[ask.site])
            if ask.site in ours
            else Answer(ask.site, None, left_ns.get(ask.site, 0) / NS_PER_S)
            for ask in asks
        ]

    async def release(self, holder: str, leases: Sequence[Change]) -> None:
        """See ``LeaseStore``."""
        async with self._database.transaction("release leases") as connection:
            await limit_idling(connection)
            statement = _ending(connection)
            for lease in sorted(leases, key=lambda one: one.site):
                await connection.execute(statement, {"of": holder, "at": lease.site, "in_epoch": lease.epoch})


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


def _ending(connection: AsyncConnection) -> sa.Update:
    columns, now = leases.c, _now(connection)
    is_ours = (columns.site == sa.bindparam("at")) & (columns.holder == sa.bindparam("of"))
    is_ours &= columns.epoch == sa.bindparam("in_epoch")
    return sa.update(leases).where(is_ours & (columns.expires_ns > now)).values(expires_ns=now)


async def _others(connection: AsyncConnection, holder: str, sites: Sequence[str], beyond_ns: int) -> dict[str, int]:
    """Return how long the leases of other holders last, ns, by site, where that is longer than ``beyond_ns``."""
    if not sites:
        return {}
    left_ns = leases.c.expires_ns - _now(connection)
    is_others = leases.c.site.in_(sites) & (leases.c.holder != holder)
    query = sa.select(leases.c.site, left_ns).where(is_others)
    return {site: left for site, left in await connection.execute(query) if left > beyond_ns}


async def _take(connection: AsyncConnection, holder: str, asks: Sequence[Ask], length_ns: int) -> dict[str, int]:
    """Renew or take what can be, all in one statement; returns the epochs of what is ours now, by site."""
    if not asks:
        return {}
    taking = _TAKING[connection.dialect.name]
    ordered = sorted(asks, key=lambda ask: ask.site)
    arguments = _asked(connection, ordered) | {"of": holder, "length_ns": length_ns}
    return {site: int(epoch) for site, epoch in await connection.execute(taking, arguments)}


def _asked(connection: AsyncConnection, asks: Sequence[Ask]) -> dict[str, Any]:
    """Return questions as what ``_taking`` is bound to; no epoch is 0, one below the first."""
    pairs = [(ask.site, ask.epoch or 0) for ask in asks]
    if connection.dialect.name == "postgresql":
        return {"sites": [site for site, _ in pairs], "epochs": [epoch for _, epoch in pairs]}
    return {"asked": json.dumps(pairs)}


def _taking(dialect: str) -> Any:  # noqa: ANN401 - of two dialects
    """Return the statement that renews or takes the leases of any number of sites, which are its arguments.

    The rows are locked in their order, by site, so that two processes never wait for each other in a ring. A lease is
    renewed, and keeps its epoch, where holder and epoch are as asked and it has not ended; otherwise it is taken, where
    it has ended or is our own: the answer to a question that took it may have been lost.
    """
    now = sa.literal_column(_CLOCKS[dialect], sa.BigInteger)
    holder, expires_ns = sa.bindparam("of", type_=sa.Text), now + sa.bindparam("length_ns", type_=sa.BigInteger)
    site: sa.ColumnElement[str]
    epoch: sa.ColumnElement[int]
    rows: sa.FromClause
    if dialect == "postgresql":
        lists = (sa.bindparam("sites", type_=sa.ARRAY(sa.Text)), sa.bindparam("epochs", type_=sa.ARRAY(sa.BigInteger)))
        rows = sa.func.unnest(*lists).table_valued("site", "epoch", name="asked").render_derived()
        site, epoch = rows.c.site, rows.c.epoch
    else:
        rows = sa.func.json_each(sa.bindparam("asked", type_=sa.Text)).table_valued("value")
        site, epoch = (sa.func.json_extract(rows.c.value, f"$[{place}]") for place in (0, 1))
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # SQLite reads ON CONFLICT behind a SELECT only where that has a WHERE
    fresh = sa.select(site, holder, epoch + sa.literal_column("1"), expires_ns).select_from(rows).where(sa.true())
    statement = insert(leases).from_select(["site", "holder", "epoch", "expires_ns"], fresh.order_by(site))
    columns, next_epoch = leases.c, statement.excluded.epoch
    is_renewed = (columns.holder == holder) & (columns.expires_ns > now) & (columns.epoch + 1 == next_epoch)
    changes = {
        "epoch": sa.case((is_renewed, columns.epoch), else_=columns.epoch + 1), "holder": holder,
        "expires_ns": expires_ns,
    }  # fmt: skip
    is_free = (columns.expires_ns <= now) | (columns.holder == holder)
    return statement.on_conflict_do_update(index_elements=["site"], set_=changes, where=is_free).returning(
        columns.site, columns.epoch
    )


_TAKING = {dialect: _taking(dialect) for dialect in _CLOCKS}
