"""Gives points that came from a clock that was not set yet their time, once the gateway says when it first knew it.

Points that are stored are changed a few at a time, inside the transactions of later batches; points that come after the
word get their time as they are stored. What the clock had said is kept in ``original_at_ns``. Number, order by number
and monotonic time stay. A point that was believed, is of another boot, or comes later than the moment is left alone.

*Source:* contracts.payloads.ClockSet.
"""

import sqlite3
from collections.abc import Sequence

from cloud_api.history.clock_sets_policy import Moment, moment_of
from contracts.records import ClockState, Record

MAX_POINTS = 2_000
"""Points changed in one transaction: a hundredth of a second. An hour of 75 records a second is done in two minutes of
the batches that follow."""

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
    moments: dict[str, Moment | None] = {}
    given = []
    for record in records:
        boot_id = record.boot_id
        if record.clock.state is ClockState.UNSYNCED and boot_id not in moments:
            row = connection.execute(_FIND, (site, gateway, boot_id)).fetchone()
            moments[boot_id] = Moment(*row) if row else None
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
        told = moment_of(record)
        if told is not None:
            values = (told.mono_ns, told.utc_ns, told.error_ms, told.source, told.drift_ppm)
            connection.execute(_NOTE, (site, gateway, *values, record.boot_id))


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
