"""Thinning: what stays of records when room has to be made and nothing is to be lost whole. Sans-io.

Works on a window: consecutive batches of one stream that cover whole minutes, because one batch holds 7 s of a busy
feed and a minute cannot be judged by a seventh of it. Each batch keeps its range; what goes becomes ``Gap`` records
(reason ``thinned``) of exactly the numbers that went. What stays of each minute:

- AIS: one position of each MMSI (the first, so that what stays lies together and gaps are few), the newest static and
  voyage data, every safety-related message (ITU-R M.1371 messages 12 to 14), one of each other kind of message;
- radar: one report of each target and status, the newest label;
- telemetry: the rows that hold the minimum and the maximum of each quantity, the first row of each state of a contact,
  and the mean of the minute as a record that says so (``Record.mean_of``), see ``minute_series``.

Minutes are counted by the monotonic clock of each boot: a step of the wall clock neither joins nor splits any. The
newest minute of a window is left alone, its end may still come; the next window begins with the batch that holds it.
Thinning what is thinned changes nothing. Alarms, lifts and logs are never thinned.
"""

from collections.abc import Iterable, Sequence

import msgspec

from contracts.batch import Batch
from contracts.payloads import Ais, Gap
from contracts.radar import RadarLabel, RadarTarget
from contracts.records import Record, RecordClass
from gateway.outbox.gaps import gap_record, join_gaps
from gateway.outbox.minute_series import MinuteSeries, series_of

REASON_THINNED = "thinned"
THINNABLE = (RecordClass.TELEMETRY, RecordClass.TRACK)
"""In the order in which they are thinned."""
MINUTE_NS = 60 * 10**9
_STATIC = frozenset({5, 19, 24})
_SAFETY = frozenset({12, 13, 14})

Minute = tuple[str, int]


def minute_of(record: Record) -> Minute:
    """Return the minute of a record: its boot, and minutes of the monotonic clock in it."""
    return record.boot_id, record.mono_ns // MINUTE_NS


def thin(batches: Sequence[Batch], *, is_cut: bool = False) -> list[Batch | None]:
    """Thin a window.

    Args:
        batches: consecutive batches of one stream, oldest first, at least one.
        is_cut: the window ends within a minute because it is long enough: that minute is thinned too, as far as it is
            here.

    Returns:
        For each batch the one that takes its place, of the same range; None where there is nothing to gain.
    """
    if batches[0].record_class not in THINNABLE:
        return [None] * len(batches)
    records = [record for batch in batches for record in batch.records]
    open_minute = None if is_cut else _newest_minute(records)
    minutes: dict[Minute, list[Record]] = {}
    for record in records:
        if not isinstance(record.payload, Gap) and (minute := minute_of(record)) != open_minute:
            minutes.setdefault(minute, []).append(record)
    is_track = batches[0].record_class is RecordClass.TRACK
    kept: set[int] = set()
    means: dict[int, Record] = {}
    for members in minutes.values():
        if is_track:
            kept |= _tracks_kept(members)
        else:
            stay, averages = _telemetry_kept(members)
            kept |= stay
            means |= averages
    closed = {record.seq for members in minutes.values() for record in members}
    return [_rewrite(batch, closed - kept, means) for batch in batches]


def settled(window: Sequence[Batch]) -> list[bool]:
    """Tell of each batch whether no later window can change it: it holds nothing of the window's newest minute."""
    open_minute = _newest_minute([record for each in window for record in each.records])
    return [
        all(minute_of(record) != open_minute or isinstance(record.payload, Gap) for record in batch.records)
        for batch in window
    ]


def _newest_minute(records: Sequence[Record]) -> Minute | None:
    last = next((record for record in reversed(records) if not isinstance(record.payload, Gap)), None)
    if last is None:
        return None
    same_boot = (record for record in records if record.boot_id == last.boot_id)
    newest_ns = max(record.mono_ns for record in same_boot if not isinstance(record.payload, Gap))
    return last.boot_id, newest_ns // MINUTE_NS


def _tracks_kept(records: Iterable[Record]) -> set[int]:
    """Return the numbers that stay of one minute of tracks."""
    first: dict[tuple[object, ...], int] = {}
    newest: dict[tuple[object, ...], int] = {}
    always: set[int] = set()
    for record in records:
        payload = record.payload
        if isinstance(payload, Ais):
            if payload.msg_type in _SAFETY:
                always.add(record.seq)
            elif payload.lon_deg is not None and payload.lat_deg is not None:
                first.setdefault(("position", payload.mmsi), record.seq)
            elif payload.msg_type in _STATIC:
                newest[payload.mmsi, payload.msg_type, payload.name is None] = record.seq
            else:
                first.setdefault((payload.mmsi, payload.msg_type), record.seq)
        elif isinstance(payload, RadarTarget):
            first.setdefault((record.source, payload.target_no, payload.status), record.seq)
        elif isinstance(payload, RadarLabel):
            newest[record.source, payload.target_no] = record.seq
        else:
            always.add(record.seq)
    return always | set(first.values()) | set(newest.values())


def _telemetry_kept(records: Iterable[Record]) -> tuple[set[int], dict[int, Record]]:
    """Return the numbers that stay of one minute of telemetry, and the means that take the place of others."""
    series: dict[tuple[object, ...], MinuteSeries] = {}
    for record in records:
        series.setdefault(series_of(record), MinuteSeries()).add(record)
    kept: set[int] = set()
    means: dict[int, Record] = {}
    for each in series.values():
        kept |= each.kept()
        mean = each.mean()
        if mean is not None:
            kept.add(mean.seq)
            means[mean.seq] = mean
    return kept, means


def _rewrite(batch: Batch, removed: set[int], means: dict[int, Record]) -> Batch | None:
    records: list[Record] = []
    for record in batch.records:
        if isinstance(record.payload, Gap) or record.seq not in removed:
            records.append(means.get(record.seq, record))
        else:
            records.append(gap_record(record.seq, record.seq, REASON_THINNED, batch.records[0]))
    joined = join_gaps(records)
    return None if joined == batch.records else msgspec.structs.replace(batch, records=joined)
