"""What the rows of a ledger cost to read: no more for what has been declared in years before."""

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from cloud_api.history.models import SeqRange
from cloud_api.history.sql_ledger_rows import Window, _sharing
from cloud_api.operations.tables import ledger_gaps, ledger_marks

STEP = 10
"""Each range is six numbers of ten."""
WINDOWS = 8


def look_up(table: sa.Table, rows: int) -> tuple[list[tuple[int, int]], int]:
    """Return the ranges of ``table`` that share a number with the last windows of a stream, and the steps it takes."""
    connection = sqlite3.connect(":memory:")
    connection.execute(str(sa.schema.CreateTable(table).compile(dialect=sqlite.dialect())))
    values = "(1, ?, ?, 'thinned', 0)" if table is ledger_gaps else "(1, ?, ?, 0, '')"
    connection.executemany(
        f"INSERT INTO {table.name} VALUES {values}",  # noqa: S608 - our names
        ((number * STEP, number * STEP + 5) for number in range(rows)),
    )
    end = rows * STEP
    windows = [Window(1, SeqRange(end - 45 - one * 100, end - 21 - one * 100)) for one in range(WINDOWS)]
    query = sa.select(table.c.first_seq, table.c.last_seq).where(_sharing(table, windows))
    text = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(step, 1)
    found = connection.execute(text).fetchall()
    connection.close()
    return sorted(found), steps


@pytest.mark.parametrize("table", [ledger_gaps, ledger_marks], ids=["gaps", "marks"])
def test_a_resend_looks_at_the_ranges_around_it_however_many_lie_before(table: sa.Table) -> None:
    few, steps_of_few = look_up(table, 100)
    many, steps_of_many = look_up(table, 20_000)
    assert [(first - 100 * STEP, last - 100 * STEP) for first, last in few] == [
        (first - 20_000 * STEP, last - 20_000 * STEP) for first, last in many
    ]
    # a window of 25 numbers from the last of a range on: that range and the two behind it
    assert len(many) == WINDOWS * 3
    assert steps_of_many < steps_of_few * 2
