"""Minutes of fixed sensors, summed up as their records are taken away.

The sums are written in the transaction that takes the records away: an observation is a point or part of a minute,
never both and never neither. They are kept longer than the records, within an age and a share of the disk of their own.
"""

import sqlite3
from collections.abc import Iterator

import msgspec

from cloud_api.history.channels import NO_SERIES, channels_of
from cloud_api.history.reading import Span
from cloud_api.history.sums import TimeSums

MINUTE_NS = 60_000_000_000
MAX_ROLLUPS = 2_000
"""Minutes taken away in one transaction: a hundredth of a second."""

# the names of NO_SERIES, so that the payloads of vessels and logs are not even read
_EXPIRING = f"""
    SELECT points.series_ref, points.observed_at_ns, points.payload FROM points JOIN series USING (series_ref)
    WHERE points.stream_ref = ? AND points.seq BETWEEN ? AND ?
    AND series.kind NOT IN ({", ".join(f"'{name}'" for name in sorted(NO_SERIES))})
"""  # noqa: S608 - our names
_FIND = "SELECT channels FROM rollups WHERE series_ref = ? AND minute = ?"
_PUT = "INSERT OR REPLACE INTO rollups (series_ref, minute, channels) VALUES (?, ?, ?)"
_GROW = "UPDATE rollup_size SET size_bytes = size_bytes + ?"
_OF_SPAN = """
    SELECT minute, channels FROM rollups WHERE series_ref = ? AND minute BETWEEN ? AND ? ORDER BY minute
"""
_OLDEST = "SELECT series_ref, minute, length(channels) FROM rollups WHERE minute < ? ORDER BY minute LIMIT ?"
_OLDEST_MINUTE = "SELECT minute FROM rollups ORDER BY minute LIMIT 1 OFFSET ?"
_DELETE = "DELETE FROM rollups WHERE series_ref = ? AND minute = ?"
_NEWEST_MINUTE = 2**62
OVERHEAD_BYTES = 30
"""Bytes of a minute beside its text: its key in the table and in the index."""

_PAYLOADS = msgspec.json.Decoder(dict[str, object])
_PACKED: msgspec.json.Decoder[dict[str, list[float]]] = msgspec.json.Decoder(dict[str, list[float]])
_ENCODER = msgspec.json.Encoder()


class Rollups:
    """Sums of the records that one transaction takes away, written once each minute.

    Args:
        connection: in the transaction that takes them away.
        before_ns: minutes before it are too old to be kept, UTC ns.
    """

    def __init__(self, connection: sqlite3.Connection, before_ns: int) -> None:
        self._connection = connection
        self._before_ns = before_ns
        self._minutes: dict[tuple[int, int], TimeSums] = {}

    def take(self, stream_ref: int, first_seq: int, last_seq: int) -> None:
        """Sum up the records of a range that is about to be deleted."""
        for series_ref, at_ns, payload in self._connection.execute(_EXPIRING, (stream_ref, first_seq, last_seq)):
            if at_ns >= self._before_ns:
                key = (series_ref, at_ns // MINUTE_NS)
                self._minutes.setdefault(key, TimeSums()).add(channels_of(_PAYLOADS.decode(payload)))

    def write(self) -> None:
        """Add what was summed up to what is known of its minutes."""
        grown = 0
        for key, sums in self._minutes.items():
            if not sums:
                continue
            known = self._connection.execute(_FIND, key).fetchone()
            if known is not None:
                packed = _PACKED.decode(known[0])
                sums.merge(packed, packed)
                grown -= len(known[0]) + OVERHEAD_BYTES
            text = _ENCODER.encode(sums.packed()).decode()
            self._connection.execute(_PUT, (*key, text))
            grown += len(text) + OVERHEAD_BYTES
        self._connection.execute(_GROW, (grown,))
        self._minutes.clear()


def expire_rollups(connection: sqlite3.Connection, before_ns: int, max_bytes: int) -> int:
    """Take away at most ``MAX_ROLLUPS`` of the oldest minutes; returns how many.

    Args:
        connection: inside a transaction.
        before_ns: minutes before it are too old, UTC ns.
        max_bytes: while all take more, the oldest go whatever their age.
    """
    before = before_ns // MINUTE_NS
    if rollup_bytes(connection) > max_bytes:
        oldest = connection.execute(_OLDEST_MINUTE, (MAX_ROLLUPS,)).fetchone()
        # that minute too: a port of more sensors than a step takes has it full of the oldest
        before = max(before, oldest[0] + 1 if oldest else _NEWEST_MINUTE)
    rows = connection.execute(_OLDEST, (before, MAX_ROLLUPS)).fetchall()
    connection.executemany(_DELETE, [(series_ref, minute) for series_ref, minute, _ in rows])
    connection.execute(_GROW, (-sum(length + OVERHEAD_BYTES for _, _, length in rows),))
    return len(rows)


def rollup_bytes(connection: sqlite3.Connection) -> int:
    """Return about how many bytes the minutes take."""
    return int(connection.execute("SELECT size_bytes FROM rollup_size").fetchone()[0])


def minutes_of(
    connection: sqlite3.Connection, series_ref: int, span: Span
) -> Iterator[tuple[int, dict[str, list[float]]]]:
    """Yield (UTC ns at which it begins, sums by channel) of the minutes that begin in a span."""
    first, last = -(-span.from_ns // MINUTE_NS), span.to_ns // MINUTE_NS
    for minute, text in connection.execute(_OF_SPAN, (series_ref, first, last)):
        yield minute * MINUTE_NS, _PACKED.decode(text)
