"""Gateways that were heard, and batches that were refused."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "gateways",
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("first_seen_ns", sa.BigInteger, nullable=False),
        sa.Column("last_seen_ns", sa.BigInteger, nullable=False),
        sa.Column("clock_offset_ms", sa.Float),
        sa.Column("status", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("site", "gateway", name="pk_gateways"),
    )
    op.create_table(
        "poison_batches",
        sa.Column("poison_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("cause", sa.String(500), nullable=False),
        sa.Column("stream_id", sa.String(160), nullable=False),
        sa.Column("first_seq", sa.String(40), nullable=False),
        sa.Column("last_seq", sa.String(40), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("kept_bytes", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("times_seen", sa.BigInteger, nullable=False),
        sa.Column("first_seen_ns", sa.BigInteger, nullable=False),
        sa.Column("last_seen_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("poison_id", name="pk_poison_batches"),
        sa.UniqueConstraint("site", "gateway", "digest", name="uq_poison_batches_site"),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("poison_batches")
    op.drop_table("gateways")
