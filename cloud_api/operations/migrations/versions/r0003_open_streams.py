"""Streams that were not whole when they were last judged: what a gateway had produced, and since when it is missing."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "open_streams",
        sa.Column("stream_id", sa.String(160), nullable=False),
        sa.Column("produced", sa.BigInteger, nullable=False),
        sa.Column("since_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("stream_id", name="pk_open_streams"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("open_streams")
