"""Tables of the operations database (SQLAlchemy Core).

Plain types only, so that SQLite and PostgreSQL hold the same: times are UTC ns in BigInteger (exact, no time zone to
lose), documents are JSON. ``cloud_api/operations/migrations`` makes them; a test holds both to be the same.
"""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

gateways = sa.Table(
    "gateways",
    metadata,
    sa.Column("site", sa.String(40), primary_key=True),
    sa.Column("gateway", sa.String(40), primary_key=True),
    sa.Column("first_seen_ns", sa.BigInteger, nullable=False),
    sa.Column("last_seen_ns", sa.BigInteger, nullable=False),
    sa.Column("clock_offset_ms", sa.Float),
    sa.Column("status", sa.JSON, nullable=False),
)

poison_batches = sa.Table(
    "poison_batches",
    metadata,
    sa.Column("poison_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
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
    sa.UniqueConstraint("site", "gateway", "digest", name="uq_poison_batches_site"),
)

vessels = sa.Table(
    "vessels",
    metadata,
    sa.Column("mmsi", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(40)),
    sa.Column("callsign", sa.String(20)),
    sa.Column("imo", sa.BigInteger),
    sa.Column("ship_type", sa.Integer),
    sa.Column("to_bow_m", sa.Integer),
    sa.Column("to_stern_m", sa.Integer),
    sa.Column("to_port_m", sa.Integer),
    sa.Column("to_starboard_m", sa.Integer),
    sa.Column("updated_at_ns", sa.BigInteger, nullable=False),
)

open_streams = sa.Table(
    "open_streams",
    metadata,
    sa.Column("stream_id", sa.String(160), primary_key=True),
    sa.Column("produced", sa.BigInteger, nullable=False),
    sa.Column("since_ns", sa.BigInteger),
)

# The ledger of a history whose points lie in a sink (docs/adr/0134): a row a stream, a row a run of numbers that are
# accounted for, and so on. No foreign keys: a stream is never deleted, and each check would lock its row once more.
ledger_streams = sa.Table(
    "ledger_streams",
    metadata,
    sa.Column("stream_ref", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("stream_id", sa.String(160), nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("max_seq", sa.BigInteger, nullable=False),
    sa.Column("last_received_ns", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("stream_id", name="uq_ledger_streams_stream_id"),
)

ledger_covered = sa.Table(
    "ledger_covered",
    metadata,
    sa.Column("stream_ref", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
)

ledger_gaps = sa.Table(
    "ledger_gaps",
    metadata,
    sa.Column("stream_ref", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("observed_at_ns", sa.BigInteger, nullable=False),
)

ledger_declared = sa.Table(
    "ledger_declared",
    metadata,
    sa.Column("stream_ref", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.String(40), primary_key=True),
    sa.Column("numbers", sa.BigInteger, nullable=False),
)

ledger_marks = sa.Table(
    "ledger_marks",
    metadata,
    sa.Column("stream_ref", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("received_at_ns", sa.BigInteger, nullable=False, index=True),
    sa.Column("marks", sa.LargeBinary, nullable=False),
)

ledger_boots = sa.Table(
    "ledger_boots",
    metadata,
    sa.Column("stream_ref", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("boot_mark", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_seq", sa.BigInteger, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
)

# The moments at which gateways first knew the time of a boot, and where points lie that came before (docs/adr/0153).
clock_sets = sa.Table(
    "clock_sets",
    metadata,
    sa.Column("site", sa.String(40), primary_key=True),
    sa.Column("gateway", sa.String(40), primary_key=True),
    sa.Column("boot_id", sa.String(100), primary_key=True),
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
    sa.Column("next_look_ns", sa.BigInteger, nullable=False, index=True),
)

quarantined_points = sa.Table(
    "quarantined_points",
    metadata,
    sa.Column("point_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("stream_id", sa.String(160), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("cause", sa.String(500), nullable=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
    sa.Column("times_seen", sa.BigInteger, nullable=False),
    sa.Column("first_seen_ns", sa.BigInteger, nullable=False),
    sa.Column("last_seen_ns", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("stream_id", "seq", name="uq_quarantined_points_stream_id"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("site", sa.String(40), primary_key=True),
    sa.Column("holder", sa.String(120), nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("expires_ns", sa.BigInteger, nullable=False),
)

stream_alarms = sa.Table(
    "stream_alarms",
    metadata,
    sa.Column("stream_id", sa.String(160), primary_key=True),
    sa.Column("raised_ns", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("verdict", sa.String(40), nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("raised_epoch", sa.BigInteger, nullable=False),
    sa.Column("cleared_ns", sa.BigInteger),
    sa.Column("cleared_epoch", sa.BigInteger),
)
sa.Index(
    "uq_stream_alarms_standing",
    stream_alarms.c.stream_id,
    unique=True,
    sqlite_where=stream_alarms.c.cleared_ns.is_(None),
    postgresql_where=stream_alarms.c.cleared_ns.is_(None),
)
