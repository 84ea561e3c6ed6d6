"""Keeps the boots of a stream to a number: what the oldest had becomes part of one hull. On an open transaction.

The rule: a boot is over when ``MAX_BOOTS`` others have higher numbers. Its row goes, and its numbers lie within the
folded hull from then on, where any boot passes: a resend is never refused, whenever it comes. Row and hull change in
one transaction that holds the stream. A boot that brings new numbers after all has a row again until it is folded again
(docs/adr/0152).
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.history.ledger_policy import FOLDED
from cloud_api.operations.tables import ledger_boots
from cloud_api.operations.upsert import Columns, upsert_many

MAX_BOOTS = 1_024
"""Boots of a stream that are told apart: three years of a gateway that starts every day; 100 KB with the index. A
gateway that makes up a boot for each record fills them, and has the same bound."""
FOLD_STEP = 64
"""Rows below the cap that are folded too: else each further boot would fold one."""
MAX_FOLDED = 4_096
"""Rows folded in one commit, some hundredths of a second; a table from before the cap takes several."""


async def fold_boots(connection: AsyncConnection, stream_refs: Iterable[int]) -> int:
    """Fold the oldest boots of streams that have too many; returns how many rows went.

    Args:
        connection: a transaction that holds the streams.
        stream_refs: streams that a boot was added to.
    """
    table = ledger_boots.c
    refs = sorted(stream_refs)
    if not refs:
        return 0
    number = sa.func.count()
    query = sa.select(table.stream_ref, number).where(table.stream_ref.in_(refs), table.boot_mark != FOLDED)
    full = (await connection.execute(query.group_by(table.stream_ref).having(number > MAX_BOOTS))).all()
    return sum([await _fold(connection, ref, min(MAX_FOLDED, count - MAX_BOOTS + FOLD_STEP)) for ref, count in full])


async def _fold(connection: AsyncConnection, stream_ref: int, number: int) -> int:
    table = ledger_boots.c
    oldest = (
        sa.select(table.boot_mark, table.first_seq, table.last_seq)
        .where(table.stream_ref == stream_ref, table.boot_mark != FOLDED)
        .order_by(table.last_seq, table.first_seq, table.boot_mark)
        .limit(number)
    )
    rows = (await connection.execute(oldest)).all()
    hull = {
        "stream_ref": stream_ref, "boot_mark": FOLDED,
        "first_seq": min(row.first_seq for row in rows), "last_seq": max(row.last_seq for row in rows),
    }  # fmt: skip
    await upsert_many(connection, ledger_boots, [hull], ["stream_ref", "boot_mark"], _around_both)
    gone = sa.delete(ledger_boots).where(
        table.stream_ref == stream_ref, table.boot_mark == sa.bindparam("gone", type_=sa.BigInteger)
    )
    await connection.execute(gone, [{"gone": row.boot_mark} for row in rows])
    return len(rows)


def _around_both(new: Columns, old: Columns) -> dict[str, object]:
    return {
        "first_seq": sa.case((new["first_seq"] < old["first_seq"], new["first_seq"]), else_=old["first_seq"]),
        "last_seq": sa.case((new["last_seq"] > old["last_seq"], new["last_seq"]), else_=old["last_seq"]),
    }
