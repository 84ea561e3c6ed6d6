"""The ledger of a history whose points lie in a sink: numbers accounted for, gaps, sums, marks and boots by stream."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Column = tuple[str, type[sa.types.TypeEngine[Any]] | sa.types.TypeEngine[Any]]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ledger_streams",
        sa.Column("stream_ref", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.String(160), nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("max_seq", sa.BigInteger, nullable=False),
        sa.Column("last_received_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stream_ref", name="pk_ledger_streams"),
        sa.UniqueConstraint("stream_id", name="uq_ledger_streams_stream_id"),
    )
    last_seq: Column = ("last_seq", sa.BigInteger)
    _create("ledger_covered", ("first_seq", sa.BigInteger), [last_seq])
    _create(
        "ledger_gaps", ("first_seq", sa.BigInteger),
        [last_seq, ("reason", sa.String(40)), ("observed_at_ns", sa.BigInteger)],
    )  # fmt: skip
    _create("ledger_declared", ("reason", sa.String(40)), [("numbers", sa.BigInteger)])
    _create(
        "ledger_marks", ("first_seq", sa.BigInteger),
        [last_seq, ("received_at_ns", sa.BigInteger), ("marks", sa.LargeBinary)],
    )  # fmt: skip
    op.create_index("ix_ledger_marks_received_at_ns", "ledger_marks", ["received_at_ns"])
    _create("ledger_boots", ("boot_mark", sa.BigInteger), [("first_seq", sa.BigInteger), last_seq])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("boots", "marks", "declared", "gaps", "covered", "streams"):
        op.drop_table(f"ledger_{name}")


def _create(name: str, key: Column, others: list[Column]) -> None:
    """Make a table of rows of a stream."""
    stream_ref: Column = ("stream_ref", sa.BigInteger)
    columns = [sa.Column(column, kind, nullable=False) for column, kind in [stream_ref, key, *others]]
    op.create_table(name, *columns, sa.PrimaryKeyConstraint("stream_ref", key[0], name=f"pk_{name}"))
