"""Points that a history server refuses for their content, whole, for a person to look at."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "quarantined_points",
        sa.Column("point_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.String(160), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("cause", sa.String(500), nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("times_seen", sa.BigInteger, nullable=False),
        sa.Column("first_seen_ns", sa.BigInteger, nullable=False),
        sa.Column("last_seen_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("point_id", name="pk_quarantined_points"),
        sa.UniqueConstraint("stream_id", "seq", name="uq_quarantined_points_stream_id"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("quarantined_points")
