"""Moments of boots, and where points lie that came before them, in the operations database.

A row a boot that had points without a believed time or told a moment. The first moment that is told counts. A row is
looked at (``claim``) when its moment is told, again whenever points are noted, and for the last time when nothing was
noted for ``LATE_WRITES_NS``: by then whoever had not heard of the moment has written what it had in hand.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.history.clock_sets_policy import Boot, Moment, Spans, Task
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import clock_sets
from cloud_api.operations.upsert import Columns, upsert

MAX_BOOTS = 64
"""Boots kept a gateway, as many as it keeps itself; the one that was touched longest ago goes."""
CLAIM_NS = 60 * 10**9
"""How long whoever claimed a boot has it for itself; a step takes a second."""
LATE_WRITES_NS = 1_800 * 10**9
"""A sink tries for 25 minutes to write points that were judged before the moment was told."""
NEVER_NS = 2**63 - 1
_SPANS = ("placed_first_ns", "placed_last_ns", "beyond_first_seq", "beyond_last_seq")


class SqlClockSets:
    """See the module. Every method raises ``LinkError`` where the database cannot be asked now.

    Args:
        database: migrated.
    """

    def __init__(self, database: OperationsDatabase) -> None:
        self._database = database

    async def moments(self, boots: Iterable[Boot]) -> dict[Boot, Moment]:
        """Return the moments that are known of some boots."""
        table, wanted = clock_sets.c, set(boots)
        query = sa.select(clock_sets).where(
            table.site.in_({boot.site for boot in wanted}), table.gateway.in_({boot.gateway for boot in wanted}),
            table.boot_id.in_({boot.boot_id for boot in wanted}), table.mono_ns.is_not(None),
        )  # fmt: skip
        async with self._database.reading("read clock sets") as connection:
            rows = (await connection.execute(query)).all()
        found = {Boot(row.site, row.gateway, row.boot_id): _moment(row) for row in rows}
        return {boot: moment for boot, moment in found.items() if boot in wanted}

    async def note_moment(self, boot: Boot, moment: Moment, now_ns: int) -> int:
        """Keep a moment unless one is known; returns how many older boots of the gateway went for it."""
        told = {
            "mono_ns": moment.mono_ns, "utc_ns": moment.utc_ns, "error_ms": moment.error_ms, "source": moment.source,
            "drift_ppm": moment.drift_ppm, "next_look_ns": now_ns,
        }  # fmt: skip
        old = clock_sets.c
        is_first = old.mono_ns.is_(None)
        changes = {name: sa.case((is_first, value), else_=old[name]) for name, value in told.items()}
        return await self._note(boot, told | {"touched_ns": now_ns}, changes)

    async def note_points(self, boot: Boot, spans: Spans, now_ns: int) -> int:
        """Note where points are about to be written; returns how many older boots of the gateway went for it."""
        ends = dict(zip(_SPANS, (*(spans.placed or (None, None)), *(spans.beyond or (None, None))), strict=True))
        old = clock_sets.c
        changes: dict[str, object] = {"touched_ns": now_ns}
        for name, value in ends.items():
            if value is not None:
                is_wider = old[name] > value if "first" in name else old[name] < value
                changes[name] = sa.case((old[name].is_(None) | is_wider, value), else_=old[name])
        changes["next_look_ns"] = sa.case((old.mono_ns.is_(None), NEVER_NS), else_=now_ns)
        return await self._note(boot, ends | {"touched_ns": now_ns, "next_look_ns": NEVER_NS}, changes)

    async def claim(self, now_ns: int) -> Task | None:
        """Return a boot that is due, which nobody else gets for ``CLAIM_NS``; None where there is none."""
        table = clock_sets.c
        due = sa.select(clock_sets).where(table.next_look_ns <= now_ns).order_by(table.next_look_ns).limit(1)
        async with self._database.transaction("claim clock set") as connection:
            row = (await connection.execute(due)).one_or_none()
            if row is None:
                return None
            boot = Boot(row.site, row.gateway, row.boot_id)
            mine = sa.update(clock_sets).where(_is(boot), table.next_look_ns == row.next_look_ns)
            done = await connection.execute(mine.values(next_look_ns=now_ns + CLAIM_NS))
        if done.rowcount != 1:
            return None
        placed, beyond = (row.placed_first_ns, row.placed_last_ns), (row.beyond_first_seq, row.beyond_last_seq)
        spans = Spans(None if placed[0] is None else placed, None if beyond[0] is None else beyond)
        return Task(boot, _moment(row), spans)

    async def settle(self, boot: Boot, now_ns: int, *, is_more: bool) -> None:
        """Say when a claimed boot is looked at again: at once, when late writes are over, or never."""
        table = clock_sets.c
        settled_ns = table.touched_ns + LATE_WRITES_NS
        again = sa.case((settled_ns > now_ns, settled_ns), else_=NEVER_NS)
        async with self._database.transaction("settle clock set") as connection:
            await connection.execute(
                sa.update(clock_sets).where(_is(boot)).values(next_look_ns=now_ns if is_more else again)
            )

    async def _note(self, boot: Boot, values: Mapping[str, object], changes: Mapping[str, object]) -> int:
        row = {"site": boot.site, "gateway": boot.gateway, "boot_id": boot.boot_id, **values}
        async with self._database.transaction("note clock set") as connection:
            await upsert(connection, clock_sets, row, ["site", "gateway", "boot_id"], changes)
            return await _evict(connection, boot)


async def _evict(connection: AsyncConnection, boot: Boot) -> int:
    table = clock_sets.c
    of_gateway = (table.site == boot.site) & (table.gateway == boot.gateway)
    ordered = sa.select(table.boot_id).where(of_gateway).order_by(table.touched_ns.desc(), table.boot_id)
    gone = list((await connection.execute(ordered.offset(MAX_BOOTS))).scalars())
    if gone:
        await connection.execute(sa.delete(clock_sets).where(of_gateway, table.boot_id.in_(gone)))
    return len(gone)


def _is(boot: Boot) -> sa.ColumnElement[bool]:
    table: Columns = clock_sets.c
    return sa.and_(table.site == boot.site, table.gateway == boot.gateway, table.boot_id == boot.boot_id)


def _moment(row: sa.Row[tuple[object, ...]]) -> Moment:
    return Moment(row.mono_ns, row.utc_ns, row.error_ms, row.source, row.drift_ppm)
