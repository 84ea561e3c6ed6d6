"""The questions to the history, as SQL. Each takes an open connection and returns plain values."""

import sqlite3
from collections.abc import Iterator

import msgspec

from cloud_api.history.models import SeqRange, StoredPoint, StreamEvidence
from contracts.payloads import Payload
from contracts.records import Clock, ClockState, Record

_PAYLOAD_DECODER: msgspec.json.Decoder[Payload] = msgspec.json.Decoder(Payload)


_LATEST = """
    SELECT series.site, series.gateway, series.source, series.place, points.seq, points.observed_at_ns,
           points.clock_state, points.clock_error_ms, points.mono_ns, boots.boot_id, points.payload, points.raw,
           points.mean_of, points.original_at_ns
    FROM series
    JOIN points ON points.point_ref = (
        SELECT newest.point_ref FROM points AS newest
        WHERE newest.series_ref = series.series_ref AND newest.observed_at_ns >= ?
        ORDER BY newest.observed_at_ns DESC LIMIT 1)
    JOIN boots USING (boot_ref)
    WHERE series.kind NOT IN ('log', 'health') AND NOT (series.kind = 'ais' AND series.aspect = 'other')
    ORDER BY points.observed_at_ns
"""
# runs of consecutive numbers: within one, seq minus its rank is constant
_RUNS = """
    SELECT min(seq), max(seq)
    FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS run FROM points WHERE stream_ref = ?)
    GROUP BY run ORDER BY 1
"""
_GAPS = "SELECT first_seq, last_seq FROM gaps WHERE stream_ref = ? ORDER BY 1"
_LEDGER = "SELECT first_seq, last_seq FROM ledger WHERE stream_ref = ? ORDER BY 1"
_EXPIRED = "SELECT first_seq, last_seq FROM expired WHERE stream_ref = ? ORDER BY 1"
_EXPIRED_GAP = "SELECT coalesce(sum(declared), 0) FROM expired WHERE stream_ref = ?"
_COVERED = "SELECT first_seq, last_seq FROM covered WHERE stream_ref = ? ORDER BY 1"
_DECLARED = "SELECT coalesce(sum(numbers), 0) FROM declared WHERE stream_ref = ?"
_POINTS = """
    SELECT streams.stream_id, points.seq, points.observed_at_ns, series.kind, nullif(series.place, ''),
           points.payload, points.raw
    FROM streams JOIN points USING (stream_ref) JOIN series USING (series_ref)
    WHERE streams.stream_ref = ? AND (?2 IS NULL OR series.kind = ?2)
    ORDER BY points.seq
"""


def latest_observations(connection: sqlite3.Connection, since_ns: int) -> list[tuple[str, str, Record]]:
    """Return the newest record of each series, see ``HistoryReader.latest_observations``."""
    found = []
    for row in connection.execute(_LATEST, (since_ns,)):
        site, gateway, source, place, seq, observed_at_ns, state, error_ms, mono_ns, boot_id, payload, raw, *more = row
        mean_of, original_at_ns = more
        record = Record(
            seq=seq,
            observed_at_ns=observed_at_ns,
            clock=Clock(state=ClockState(state), error_ms=error_ms),
            mono_ns=mono_ns,
            boot_id=boot_id,
            source=source,
            payload=_PAYLOAD_DECODER.decode(payload),
            place=place or None,
            raw=raw,
            mean_of=mean_of,
            original_at_ns=original_at_ns,
        )
        found.append((site, gateway, record))
    return found


def evidence(connection: sqlite3.Connection) -> list[StreamEvidence]:
    """Return what is stored of every stream, by id."""
    found = []
    for stream_ref, stream_id in connection.execute("SELECT stream_ref, stream_id FROM streams ORDER BY 2").fetchall():
        points, gaps, ledger, expired, covered = (
            _ranges(connection, query, stream_ref) for query in (_RUNS, _GAPS, _LEDGER, _EXPIRED, _COVERED)
        )
        (expired_gap,) = connection.execute(_EXPIRED_GAP, (stream_ref,)).fetchone()
        (declared,) = connection.execute(_DECLARED, (stream_ref,)).fetchone()
        found.append(
            StreamEvidence(stream_id, points, gaps, ledger, expired, expired_gap, covered=covered, declared=declared)
        )
    return found


def stored_points(connection: sqlite3.Connection, kind: str | None) -> Iterator[StoredPoint]:
    """Yield every stored record (of one kind, if given) in order of stream id and number, without holding them."""
    for (stream_ref,) in connection.execute("SELECT stream_ref FROM streams ORDER BY stream_id").fetchall():
        for row in connection.execute(_POINTS, (stream_ref, kind)):
            yield StoredPoint(*row)


def _ranges(connection: sqlite3.Connection, query: str, stream_ref: int) -> list[SeqRange]:
    return [SeqRange(first_seq, last_seq) for first_seq, last_seq in connection.execute(query, (stream_ref,))]
