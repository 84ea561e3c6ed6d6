"""Who judges a site, and the alarms of streams: raised once, whoever judges."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables; an alarm that stands by the previous release's word is taken over."""
    op.create_table(
        "leases",
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("holder", sa.String(120), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_leases"),
    )
    op.create_table(
        "stream_alarms",
        sa.Column("stream_id", sa.String(160), nullable=False),
        sa.Column("raised_ns", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("raised_epoch", sa.BigInteger, nullable=False),
        sa.Column("cleared_ns", sa.BigInteger),
        sa.Column("cleared_epoch", sa.BigInteger),
        sa.PrimaryKeyConstraint("stream_id", "raised_ns", name="pk_stream_alarms"),
    )
    standing = sa.text("cleared_ns IS NULL")
    op.create_index(
        "uq_stream_alarms_standing",
        "stream_alarms",
        ["stream_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.execute(
        "INSERT INTO stream_alarms (stream_id, raised_ns, verdict, records, raised_epoch)"
        " SELECT stream_id, since_ns, 'missing', 0, 0 FROM open_streams WHERE since_ns IS NOT NULL"
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_index("uq_stream_alarms_standing", "stream_alarms")
    op.drop_table("stream_alarms")
    op.drop_table("leases")
