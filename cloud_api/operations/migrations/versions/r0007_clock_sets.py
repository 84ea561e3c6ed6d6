"""The moments at which gateways first knew the time of a boot, for a history whose points lie in a sink."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "clock_sets",
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("boot_id", sa.String(100), nullable=False),
        sa.Column("mono_ns", sa.BigInteger),
        sa.Column("utc_ns", sa.BigInteger),
        sa.Column("error_ms", sa.Float),
        sa.Column("source", sa.String(20)),
        sa.Column("drift_ppm", sa.Float),
        sa.Column("placed_first_ns", sa.BigInteger),
        sa.Column("placed_last_ns", sa.BigInteger),
        sa.Column("beyond_first_seq", sa.BigInteger),
        sa.Column("beyond_last_seq", sa.BigInteger),
        sa.Column("touched_ns", sa.BigInteger, nullable=False),
        sa.Column("next_look_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", "gateway", "boot_id", name="pk_clock_sets"),
    )
    op.create_index("ix_clock_sets_next_look_ns", "clock_sets", ["next_look_ns"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("clock_sets")
