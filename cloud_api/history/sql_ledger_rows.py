"""Reads and writes the rows of ledger books: statements of the operations database, on an open transaction.

Each kind of row is read for all batches of a group in one statement: with PostgreSQL beside the process a statement
costs a third of a millisecond, and a group is 32 batches of as many streams.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud_api.history.ledger_policy import FOLDED, BookChanges, BookRows, Marks
from cloud_api.history.merging_policy import DeclaredGap
from cloud_api.history.models import SeqRange
from cloud_api.operations.tables import (
    ledger_boots,
    ledger_covered,
    ledger_declared,
    ledger_gaps,
    ledger_marks,
    ledger_streams,
)
from cloud_api.operations.upsert import Columns, upsert_many


@dataclass(frozen=True, slots=True)
class Window:
    """Numbers of a stream around one batch."""

    stream_ref: int
    range: SeqRange


async def find_streams(connection: AsyncConnection, stream_ids: Sequence[str]) -> dict[str, int]:
    """Return the numbers of the streams that are known."""
    table = ledger_streams.c
    query = sa.select(table.stream_id, table.stream_ref).where(table.stream_id.in_(stream_ids))
    return {row[0]: row[1] for row in await connection.execute(query)}


async def make_streams(connection: AsyncConnection, stream_ids: Iterable[str]) -> None:
    """Make streams that are not there yet; in order of id, so that two workers never wait for each other in a ring."""
    rows = [
        {"stream_id": stream_id, "received": 0, "max_seq": 0, "last_received_ns": 0} for stream_id in sorted(stream_ids)
    ]
    if rows:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement = insert(ledger_streams).on_conflict_do_nothing(index_elements=["stream_id"])
        await connection.execute(statement, rows)


async def lock_streams(connection: AsyncConnection, stream_refs: Iterable[int]) -> None:
    """Hold the streams until the transaction ends; in order, as above. SQLite holds its whole file already."""
    if connection.dialect.name == "postgresql":
        table = ledger_streams.c
        query = sa.select(table.stream_ref).where(table.stream_ref.in_(sorted(stream_refs)))
        await connection.execute(query.order_by(table.stream_ref).with_for_update())


async def read_covered(connection: AsyncConnection, windows: Sequence[Window], books: Mapping[int, BookRows]) -> None:
    """Read the accounted ranges that share a number with, or touch, a window."""
    bounds = [(one.stream_ref, one.range.first_seq - 1, one.range.last_seq + 1) for one in windows]
    rows = await connection.execute(_COVERED[connection.dialect.name], _arguments(connection, bounds))
    # two batches of one stream may touch the same range
    for stream_ref, first_seq, last_seq in {tuple(row) for row in rows}:
        books[stream_ref].covered.append(SeqRange(first_seq, last_seq))


async def read_details(connection: AsyncConnection, windows: Sequence[Window], books: Mapping[int, BookRows]) -> None:
    """Read gaps and marks that share a number with a window: where numbers are known already."""
    if not windows:
        return
    query = sa.select(ledger_gaps).where(_sharing(ledger_gaps, windows))
    for row in (await connection.execute(query)).mappings():
        item = SeqRange(row["first_seq"], row["last_seq"])
        books[row["stream_ref"]].gaps.append(DeclaredGap(item, row["reason"], row["observed_at_ns"]))
    query = sa.select(ledger_marks).where(_sharing(ledger_marks, windows))
    for row in (await connection.execute(query)).mappings():
        item = SeqRange(row["first_seq"], row["last_seq"])
        books[row["stream_ref"]].marks.append(Marks(item, row["received_at_ns"], row["marks"]))


async def read_boots(connection: AsyncConnection, named: Mapping[int, set[int]], books: Mapping[int, BookRows]) -> None:
    """Read the hulls of the boots that some batches name, by stream, and what older boots had together."""
    keys = [
        (stream_ref, boot, boot) for stream_ref, boots in sorted(named.items()) for boot in sorted({FOLDED, *boots})
    ]
    if not keys:
        return
    rows = await connection.execute(_BOOTS[connection.dialect.name], _arguments(connection, keys))
    for stream_ref, boot, first_seq, last_seq in rows:
        books[stream_ref].boots[boot] = SeqRange(first_seq, last_seq)


async def write_changes(
    connection: AsyncConnection, changes: Mapping[int, BookChanges], received_at_ns: Mapping[int, int]
) -> None:
    """Write what has changed of each stream.

    Args:
        connection: a transaction that holds the streams.
        changes: by stream.
        received_at_ns: when the newest of the batches arrived, UTC ns, by stream.
    """
    items = sorted(changes.items())
    await _delete(connection, ledger_covered, [(ref, first) for ref, one in items for first in one.uncovered])
    await _delete(connection, ledger_gaps, [(ref, first) for ref, one in items for first in one.filled])
    covered = [{"stream_ref": ref, **_span(item)} for ref, one in items for item in one.covered]
    await upsert_many(connection, ledger_covered, covered, ["stream_ref", "first_seq"], _new_end)
    boots = [
        {"stream_ref": ref, "boot_mark": boot, **_span(item)} for ref, one in items for boot, item in one.boots.items()
    ]
    await upsert_many(
        connection, ledger_boots, boots, ["stream_ref", "boot_mark"],
        lambda new, _old: {"first_seq": new["first_seq"], "last_seq": new["last_seq"]},
    )  # fmt: skip
    await _insert(connection, ledger_gaps, [
        {"stream_ref": ref, "reason": gap.reason, "observed_at_ns": gap.observed_at_ns, **_span(gap.range)}
        for ref, one in items for gap in one.gaps
    ])  # fmt: skip
    await _insert(connection, ledger_marks, [
        {"stream_ref": ref, "received_at_ns": run.received_at_ns, "marks": run.data, **_span(run.range)}
        for ref, one in items for run in one.marks
    ])  # fmt: skip
    await _add(connection, items, received_at_ns)


async def forget_marks(connection: AsyncConnection, before_ns: int) -> int:
    """Delete marks of records received before a moment (UTC ns); returns how many runs."""
    done = await connection.execute(sa.delete(ledger_marks).where(ledger_marks.c.received_at_ns < before_ns))
    return int(done.rowcount)


async def _add(
    connection: AsyncConnection, items: Sequence[tuple[int, BookChanges]], received_at_ns: Mapping[int, int]
) -> None:
    """Add to the running sums."""
    table = ledger_streams.c
    max_seq = sa.bindparam("new_max_seq", type_=sa.BigInteger)
    newest_ns = sa.bindparam("newest_ns", type_=sa.BigInteger)
    statement = sa.update(ledger_streams).where(table.stream_ref == sa.bindparam("ref")).values(
        received=table.received + sa.bindparam("new_received"),
        max_seq=sa.case((table.max_seq < max_seq, max_seq), else_=table.max_seq),
        last_received_ns=sa.case((table.last_received_ns < newest_ns, newest_ns), else_=table.last_received_ns),
    )  # fmt: skip
    await connection.execute(statement, [
        {"ref": ref, "new_received": one.received, "new_max_seq": one.max_seq, "newest_ns": received_at_ns[ref]}
        for ref, one in items
    ])  # fmt: skip
    sums = [
        {"stream_ref": ref, "reason": reason, "numbers": numbers}
        for ref, one in items for reason, numbers in one.declared.items()
    ]  # fmt: skip
    await upsert_many(
        connection, ledger_declared, sums, ["stream_ref", "reason"],
        lambda new, old: {"numbers": old["numbers"] + new["numbers"]},
    )  # fmt: skip


def _arguments(connection: AsyncConnection, rows: Sequence[tuple[int, int, int]]) -> dict[str, Any]:
    """Return rows of three numbers as what ``_asked`` is bound to."""
    if connection.dialect.name == "postgresql":
        refs, lowest, highest = zip(*rows, strict=True) if rows else ((), (), ())
        return {"refs": refs, "lowest": lowest, "highest": highest}
    return {"asked": json.dumps(rows)}


def _asked(dialect: str) -> sa.FromClause:
    """Return a table of a stream and two numbers a row, whose rows are arguments.

    So the statement is the same for any number of batches, and is built, translated and prepared once; a condition a
    batch was a new statement for each group, which took as long as all that the database did with it.
    """
    names = ("stream_ref", "lowest", "highest")
    if dialect == "postgresql":
        lists = (sa.bindparam(name, type_=sa.ARRAY(sa.BigInteger)) for name in ("refs", "lowest", "highest"))
        return sa.func.unnest(*lists).table_valued(*names, name="asked").render_derived()
    row = sa.func.json_each(sa.bindparam("asked", type_=sa.Text)).table_valued("value").c.value
    columns = (
        sa.func.json_extract(row, f"$[{place}]", type_=sa.BigInteger).label(name) for place, name in enumerate(names)
    )
    return sa.select(*columns).subquery("asked")


def _query(
    dialect: str, table: sa.Table, condition: Callable[[Columns, Columns], sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    """Return the statement that reads the rows of a table to which ``condition`` (of both columns) holds an argument.

    Each argument is a step of its own in the table's key. A PostgreSQL that has not counted a table yet would rather
    read all of it (20 ms for 100,000 rows, instead of 0.1): the offset keeps it from joining in another way.
    """
    asked = _asked(dialect)
    if dialect == "sqlite":
        return sa.select(table).select_from(asked.join(table, condition(table.c, asked.c)))
    near = sa.select(table).where(condition(table.c, asked.c)).correlate(asked).offset(sa.literal_column("0"))
    found = near.lateral("near")
    return sa.select(found).select_from(asked.join(found, sa.true()))


def _reaches(row: Columns, asked: Columns) -> sa.ColumnElement[bool]:
    """Tell whether an accounted range reaches into bounds; they are joined, so that those below are few."""
    return sa.and_(row.stream_ref == asked.stream_ref, row.first_seq <= asked.highest, row.last_seq >= asked.lowest)


def _is_of_boot(row: Columns, asked: Columns) -> sa.ColumnElement[bool]:
    """Tell whether a hull is of the boot whose mark both numbers are."""
    return sa.and_(row.stream_ref == asked.stream_ref, row.boot_mark == asked.lowest)


_COVERED = {dialect: _query(dialect, ledger_covered, _reaches) for dialect in ("postgresql", "sqlite")}
_BOOTS = {dialect: _query(dialect, ledger_boots, _is_of_boot) for dialect in ("postgresql", "sqlite")}


def _sharing(rows: sa.Table, windows: Sequence[Window]) -> sa.ColumnElement[bool]:
    """Return the condition on ranges of a table that never share a number, of which a stream has more every year.

    Of those that begin below a window only the nearest can reach into it, and is found by one step in the key.
    """
    table, below = rows.c, rows.alias("below").c
    parts: list[sa.ColumnElement[bool]] = []
    for one in windows:
        nearest = sa.select(sa.func.max(below.first_seq)).where(
            below.stream_ref == one.stream_ref, below.first_seq < one.range.first_seq
        )
        of_stream = table.stream_ref == one.stream_ref
        parts += [
            sa.and_(of_stream, table.first_seq.between(one.range.first_seq, one.range.last_seq)),
            sa.and_(of_stream, table.first_seq == nearest.scalar_subquery(), table.last_seq >= one.range.first_seq),
        ]
    return sa.or_(*parts)


async def _insert(connection: AsyncConnection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        await connection.execute(sa.insert(table), rows)


async def _delete(connection: AsyncConnection, table: sa.Table, keys: list[tuple[int, int]]) -> None:
    if keys:
        statement = sa.delete(table).where(
            table.c.stream_ref == sa.bindparam("ref"), table.c.first_seq == sa.bindparam("first")
        )
        await connection.execute(statement, [{"ref": ref, "first": first} for ref, first in keys])


def _new_end(new: Columns, _old: Columns) -> dict[str, Any]:
    return {"last_seq": new["last_seq"]}


def _span(item: SeqRange) -> dict[str, int]:
    return {"first_seq": item.first_seq, "last_seq": item.last_seq}
