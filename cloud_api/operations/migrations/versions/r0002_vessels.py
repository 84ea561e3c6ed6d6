"""Identity of vessels, kept when their messages have left the history."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "vessels",
        sa.Column("mmsi", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", sa.String(40)),
        sa.Column("callsign", sa.String(20)),
        sa.Column("imo", sa.BigInteger),
        sa.Column("ship_type", sa.Integer),
        sa.Column("to_bow_m", sa.Integer),
        sa.Column("to_stern_m", sa.Integer),
        sa.Column("to_port_m", sa.Integer),
        sa.Column("to_starboard_m", sa.Integer),
        sa.Column("updated_at_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("mmsi", name="pk_vessels"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("vessels")
