"""A migration that takes away what the previous release reads fails here (docs/operations_database.md)."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from msgspec import structs

from cloud_api.operations.expansion_policy import Released, TableShape, breaches
from cloud_api.operations.migrating import HEAD, migrate_connection, revisions
from cloud_api.operations.releases import released, with_left, write_release
from cloud_api.operations.schema_reading import found_tables, named_tables
from cloud_api.operations.tables import metadata

RELEASES = released()
Change = Callable[[Operations], None]


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    """A database of its own, in memory, at no revision."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def tables_at(connection: sa.Connection, revision: str = HEAD) -> dict[str, TableShape]:
    migrate_connection(connection, revision)
    return found_tables(connection)


def test_the_previous_release_runs_on_what_the_newest_migration_leaves(connection: sa.Connection) -> None:
    found = tables_at(connection)
    broken = [str(breach) for breach in breaches(RELEASES[-1].tables, found)]
    assert not broken, f"release {RELEASES[-1].release} relies on it: expand now, contract in the release after this"


def test_this_program_runs_on_what_its_migrations_make(connection: sa.Connection) -> None:
    assert breaches(named_tables(metadata), tables_at(connection)) == []


def test_only_what_the_previous_release_names_is_left_over(connection: sa.Connection) -> None:
    """A column that this program no longer names waits for the release after it, and for nothing else."""
    whole = with_left(named_tables(metadata), tables_at(connection))
    previous = RELEASES[-1].tables
    left = {
        (table, column)
        for table, shape in whole.items()
        for column, column_shape in shape.columns.items()
        if column_shape.is_left
    }
    assert left <= {(table, column) for table, shape in previous.items() for column in shape.columns}


@pytest.mark.parametrize("one", RELEASES, ids=lambda one: one.release)
def test_what_was_released_is_never_changed(connection: sa.Connection, one: Released) -> None:
    """Neither a migration that ran at somebody's nor the file that says what it made."""
    found = tables_at(connection, one.revision)
    one = msgspec.convert(msgspec.to_builtins(one), Released)
    for table in one.tables.values():
        for name, shape in table.columns.items():
            table.columns[name] = structs.replace(shape, is_left=False)
    assert found == one.tables


def test_every_revision_follows_another_in_one_line() -> None:
    assert revisions() == [f"{number:04d}" for number in range(1, len(revisions()) + 1)]


def drop_table(op: Operations) -> None:
    op.drop_table("vessels")


def rename_table(op: Operations) -> None:
    op.rename_table("vessels", "ships")


def drop_column(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.drop_column("callsign")


def rename_column(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.alter_column("callsign", new_column_name="call_sign")


def shorten_text(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.alter_column("name", type_=sa.String(20))


def narrow_number(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.alter_column("imo", type_=sa.Integer)


def change_type(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.alter_column("ship_type", type_=sa.String(20))


def demand_value(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.alter_column("name", nullable=False, server_default="")


def promise_less(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.alter_column("updated_at_ns", nullable=True)


def add_column_without_default(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.add_column(sa.Column("flag", sa.String(2), nullable=False))


def add_unique(op: Operations) -> None:
    op.create_index("uq_vessels_imo", "vessels", ["imo"], unique=True)


def drop_unique(op: Operations) -> None:
    with op.batch_alter_table("poison_batches") as batch:
        batch.drop_constraint("uq_poison_batches_site")


def add_check(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.create_check_constraint("mmsi_is_positive", sa.text("mmsi > 0"))


def change_key(op: Operations) -> None:
    op.drop_table("open_streams")
    op.create_table(
        "open_streams",
        sa.Column("stream_id", sa.String(160), nullable=False),
        sa.Column("produced", sa.BigInteger, nullable=False),
        sa.Column("since_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("stream_id", "produced"),
    )


FORBIDDEN: list[tuple[Change, list[str]]] = [
    (drop_table, ["vessels: the table is gone or renamed"]),
    (rename_table, ["vessels: the table is gone or renamed"]),
    (drop_column, ["vessels.callsign: the column is gone or renamed"]),
    (rename_column, ["vessels.callsign: the column is gone or renamed"]),
    (shorten_text, ["vessels.name: is narrower: 20 of 40 characters"]),
    (narrow_number, ["vessels.imo: was int64, is int32"]),
    (change_type, ["vessels.ship_type: was int32, is text"]),
    (demand_value, ["vessels.name: is NOT NULL now: rows that leave it empty are refused"]),
    (promise_less, ["vessels.updated_at_ns: may be NULL now: a reader that was promised a value may find none"]),
    (
        add_column_without_default,
        ["vessels.flag: is new, NOT NULL and without a default on the server: rows without it are refused"],
    ),
    (add_unique, ["vessels: unique(imo) is new: rows that were allowed are refused"]),
    (drop_unique, ["poison_batches: unique(site,gateway,digest) is gone: ON CONFLICT needs it"]),
    (add_check, ["vessels: check(mmsi_is_positive) is new: rows that were allowed are refused"]),
    (
        change_key,
        [
            "open_streams: primary(stream_id) is gone: ON CONFLICT needs it",
            "open_streams: primary(stream_id,produced) is new: rows that were allowed are refused",
        ],
    ),
]


@pytest.mark.parametrize(("change", "words"), FORBIDDEN, ids=lambda item: getattr(item, "__name__", ""))
def test_a_migration_that_takes_something_away_is_found(
    connection: sa.Connection, change: Change, words: list[str]
) -> None:
    """Mutation proof: what the rule is for, done by the operations that a migration is written with."""
    migrate_connection(connection, "0003")
    change(Operations(MigrationContext.configure(connection)))
    assert [str(breach) for breach in breaches(RELEASES[0].tables, found_tables(connection))] == words


def add_table(op: Operations) -> None:
    op.create_table("berths", sa.Column("berth", sa.String(40), primary_key=True))


def add_columns(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.add_column(sa.Column("flag", sa.String(2)))
        batch.add_column(sa.Column("visits", sa.Integer, nullable=False, server_default="0"))


def widen(op: Operations) -> None:
    with op.batch_alter_table("vessels") as batch:
        batch.alter_column("ship_type", type_=sa.BigInteger)
        batch.alter_column("name", type_=sa.String(80))
        batch.alter_column("callsign", type_=sa.Text)


def add_index(op: Operations) -> None:
    op.create_index("ix_vessels_imo", "vessels", ["imo"])


@pytest.mark.parametrize("change", [add_table, add_columns, widen, add_index])
def test_a_migration_that_only_adds_is_good(connection: sa.Connection, change: Change) -> None:
    migrate_connection(connection, "0003")
    change(Operations(MigrationContext.configure(connection)))
    assert breaches(RELEASES[0].tables, found_tables(connection)) == []


def test_what_a_release_no_longer_names_may_go_after_it(connection: sa.Connection) -> None:
    """Release 1 names a column, release 2 does not and leaves it there, release 3 drops it."""
    migrate_connection(connection, "0003")
    found = found_tables(connection)
    first = dict(RELEASES[0].tables)
    columns = {name: shape for name, shape in first["vessels"].columns.items() if name != "callsign"}
    second = with_left(first | {"vessels": TableShape(columns, first["vessels"].rules)}, found)
    assert second["vessels"].columns["callsign"].is_left
    drop_column(Operations(MigrationContext.configure(connection)))
    assert breaches(first, found_tables(connection))
    assert breaches(second, found_tables(connection)) == []


async def test_a_release_is_written_once(tmp_path: Path) -> None:
    file = await asyncio.to_thread(write_release, "9.9.9", tmp_path)
    assert file.name == "9.9.9.json"
    with pytest.raises(FileExistsError):
        await asyncio.to_thread(write_release, "9.9.9", tmp_path)
