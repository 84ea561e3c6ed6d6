"""Times as the API speaks them: RFC 3339, UTC, milliseconds; of stored records nanoseconds."""

from datetime import UTC, datetime

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
MAX_UTC_NS = 253_402_300_799_999 * NS_PER_MS
"""End of the year 9999, where RFC 3339 ends. A gateway's claim beyond it is shown as this."""


def format_utc(at_ns: int) -> str:
    """Return a time as ``2026-11-24T03:00:00.000Z``.

    Args:
        at_ns: UTC ns since 1970; clamped to 1970 to 9999, for it may be what a broken clock said.
    """
    seconds, ms = divmod(min(max(at_ns, 0), MAX_UTC_NS) // NS_PER_MS, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{ms:03d}Z"


def format_utc_ns(at_ns: int) -> str:
    """Return a time as ``2026-11-24T03:00:00.000000000Z``, exact, so that it can be asked for again.

    Args:
        at_ns: UTC ns since 1970, clamped as in ``format_utc``.
    """
    seconds, ns = divmod(min(max(at_ns, 0), MAX_UTC_NS), NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{ns:09d}Z"


def to_ns(at: datetime) -> int:
    """Return UTC ns of an aware time, exact to its microsecond."""
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1000
