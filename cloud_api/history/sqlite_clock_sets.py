"""Gives points that came from a clock that was not set yet their time, once the gateway says when it first knew it.

Points that are stored are changed a few at a time, inside the transactions of later batches; points that come after the
word get their time as they are stored. What the clock had said is kept in ``original_at_ns``. Number, order by number
and monotonic time stay. A point that was believed, is of another boot, or comes later than the moment is left alone.

*Source:* contracts.payloads.ClockSet.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from contracts.payloads import ClockSet
from contracts.records import Clock, ClockState, Record

MAX_POINTS = 2_000
"""Points changed in one transaction: a hundredth of a second. An hour of 75 records a second is done in two minutes of
the batches that follow."""

_MAX_NS = 2**62
"""Room for sums inside 64 bits; the year 2116."""
_MAX_ERROR_MS = 60_000.0
_MAX_DRIFT_PPM = 10_000.0
_SOURCES = frozenset(state.value for state in ClockState if state is not ClockState.UNSYNCED)

_NOTE = """
    INSERT OR IGNORE INTO clock_sets (site, gateway, boot_ref, mono_ns, utc_ns, error_ms, source, drift_ppm)
    SELECT ?, ?, boot_ref, ?, ?, ?, ?, ? FROM boots WHERE boot_id = ?
"""
_FIND = """
    SELECT mono_ns, utc_ns, error_ms, source, drift_ppm FROM clock_sets
    WHERE site = ? AND gateway = ? AND boot_ref = (SELECT boot_ref FROM boots WHERE boot_id = ?)
"""
_OPEN = """
    SELECT site, gateway, boot_ref, mono_ns, utc_ns, error_ms, source, drift_ppm FROM clock_sets
    WHERE is_applied = 0 LIMIT 1
"""
_APPLY = """
    UPDATE points SET
        original_at_ns = observed_at_ns,
        observed_at_ns = :utc_ns - (:mono_ns - mono_ns),
        clock_state = :source,
        clock_error_ms = round(:error_ms + (:mono_ns - mono_ns) / 1e6 * :drift_ppm / 1e6, 3)
    WHERE point_ref IN (
        SELECT point_ref FROM points JOIN streams USING (stream_ref)
        WHERE boot_ref = :boot_ref AND clock_state = 'unsynced' AND mono_ns BETWEEN 0 AND :mono_ns
        AND stream_id GLOB :streams
        LIMIT :limit
    )
"""
_DONE = "UPDATE clock_sets SET is_applied = 1 WHERE site = ? AND gateway = ? AND boot_ref = ?"


@dataclass(frozen=True)
class _Moment:
    mono_ns: int
    utc_ns: int
    error_ms: float
    source: str
    drift_ppm: float

    def give(self, record: Record) -> Record:
        """Return the record with its time."""
        before_ns = self.mono_ns - record.mono_ns
        if not 0 <= before_ns <= self.mono_ns:
            return record
        error_ms = round(self.error_ms + before_ns / 1e6 * self.drift_ppm / 1e6, 3)
        return msgspec.structs.replace(
            record,
            observed_at_ns=self.utc_ns - before_ns,
            clock=Clock(ClockState(self.source), error_ms),
            original_at_ns=record.observed_at_ns,
        )


def timed(connection: sqlite3.Connection, site: str, gateway: str, records: Sequence[Record]) -> list[Record]:
    """Return the records of a gateway with the times that are known by now.

    Args:
        connection: inside a transaction.
        site: site id.
        gateway: gateway id.
        records: about to be stored.
    """
    if all(record.clock.state is not ClockState.UNSYNCED for record in records):
        return list(records)
    moments: dict[str, _Moment | None] = {}
    given = []
    for record in records:
        boot_id = record.boot_id
        if record.clock.state is ClockState.UNSYNCED and boot_id not in moments:
            row = connection.execute(_FIND, (site, gateway, boot_id)).fetchone()
            moments[boot_id] = _Moment(*row) if row else None
        moment = moments.get(boot_id) if record.clock.state is ClockState.UNSYNCED else None
        given.append(moment.give(record) if moment else record)
    return given


def note(connection: sqlite3.Connection, site: str, gateway: str, records: Sequence[Record]) -> None:
    """Remember the moments that a gateway tells; one that cannot be is stored as a record and does nothing.

    Args:
        connection: inside a transaction.
        site: site id.
        gateway: gateway id.
        records: that were stored.
    """
    for record in records:
        told = record.payload
        if isinstance(told, ClockSet) and told.boot_id == record.boot_id and _is_sane(told):
            values = (told.mono_ns, told.utc_ns, told.error_ms, told.source, told.drift_ppm)
            connection.execute(_NOTE, (site, gateway, *values, told.boot_id))


def apply_some(connection: sqlite3.Connection, limit: int = MAX_POINTS) -> int:
    """Give points that wait their time; returns how many.

    Args:
        connection: inside a transaction.
        limit: at most so many.
    """
    row = connection.execute(_OPEN).fetchone()
    if row is None:
        return 0
    site, gateway, boot_ref, mono_ns, utc_ns, error_ms, source, drift_ppm = row
    changed = connection.execute(
        _APPLY,
        {
            "boot_ref": boot_ref, "mono_ns": mono_ns, "utc_ns": utc_ns, "error_ms": error_ms, "source": source,
            "drift_ppm": drift_ppm, "streams": f"{site}.{gateway}.*", "limit": limit,
        },
    ).rowcount  # fmt: skip
    if changed < limit:
        connection.execute(_DONE, (site, gateway, boot_ref))
    return changed


def _is_sane(told: ClockSet) -> bool:
    return (
        0 <= told.mono_ns < _MAX_NS
        and told.mono_ns <= told.utc_ns < _MAX_NS
        and 0 <= told.error_ms <= _MAX_ERROR_MS
        and 0 <= told.drift_ppm <= _MAX_DRIFT_PPM
        and told.source in _SOURCES
    )
