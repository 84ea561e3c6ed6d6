"""Gives records that were stamped before the clock was set their time, once it is known. Sans-io.

A boot has one reference: the moment at which its clock was first believed, by both clocks. Every record of that boot
lies a known stretch of the monotonic clock away from it. What the clock had said is kept beside, the number, the
monotonic time and the order stay, and so does the range of the batch. One reference a boot, never a better one later:
a batch that is sent again is then the same bytes.

Refuses to touch a time that was believed when it was taken, and to give one to a boot that has no reference: those
records stay marked as unsynced. Assumes that the device does not sleep, because the monotonic clock stands meanwhile.

*Source:* Linux clock_gettime(2), ``CLOCK_MONOTONIC``; docs/adr/0123.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from contracts.batch import Batch
from contracts.codec import decode_batch, encode_batch
from contracts.errors import PeerError
from contracts.payloads import Gap
from contracts.records import Clock, ClockState, Record

DRIFT_PPM = 100.0
"""How much the monotonic clock may run fast or slow: 100 ppm is twice what makers of quartzes allow between 0 and
60 °C, 0.36 s an hour; the same as for the references of GNSS receivers (edge_agent.clock_reference)."""

_NS_PER_MS = 1e6


class TimeReference(msgspec.Struct, frozen=True):
    """When a boot first knew the time.

    Attributes:
        boot_id: the boot.
        mono_ns: by its monotonic clock, ns.
        utc_ns: by UTC, ns since 1970.
        error_ms: bound of the error of ``utc_ns``, ms, 0 or more.
        source: what told it; never unsynced.
    """

    boot_id: str
    mono_ns: int
    utc_ns: int
    error_ms: float
    source: ClockState

    def utc_at(self, mono_ns: int) -> int:
        """Return UTC ns at another moment of the boot."""
        return self.utc_ns + mono_ns - self.mono_ns

    def clock_at(self, mono_ns: int) -> Clock:
        """Return how far ``utc_at`` can be believed: the bound grows with the distance."""
        drift_ms = abs(mono_ns - self.mono_ns) / _NS_PER_MS * DRIFT_PPM / 1e6
        return Clock(self.source, round(self.error_ms + drift_ms, 3))


FindReference = Callable[[str], TimeReference | None]
"""Returns the reference of a boot, None if it never knew the time; called from the writer's thread, never blocks."""


class StoredBytes(Protocol):
    """What is looked at of a stored batch."""

    @property
    def is_time_known(self) -> bool:
        """Every record of it was stamped by a clock that was believed."""
        ...

    @property
    def data(self) -> bytes:
        """As it was encoded."""
        ...


def backfill(batch: Batch, find: FindReference) -> Batch | None:
    """Return the batch with the times that are known by now, None where there is nothing to change.

    Args:
        batch: same range and same numbers come back.
        find: the references.
    """
    records = [_timed(record, find) for record in batch.records]
    if all(new is old for new, old in zip(records, batch.records, strict=True)):
        return None
    return msgspec.structs.replace(batch, records=records)


class Backfill:
    """Amends batches as they are read for sending.

    Args:
        find: the references.
    """

    def __init__(self, find: FindReference) -> None:
        self._find = find

    def __call__(self, row: StoredBytes) -> bytes:
        """Return what is to travel; the stored bytes where nothing is to change or they are not a batch.

        The same references give the same bytes, so that a resend equals its forerunner. A batch that would pass the
        cap of the wire with its old times beside the new ones goes up as it is: the cloud gives it its times.
        """
        if row.is_time_known:
            return row.data
        try:
            changed = backfill(decode_batch(row.data), self._find)
            return row.data if changed is None else encode_batch(changed)
        except PeerError:
            return row.data


def _timed(record: Record, find: FindReference) -> Record:
    if record.clock.is_believed() or record.original_at_ns is not None or isinstance(record.payload, Gap):
        return record
    reference = find(record.boot_id)
    if reference is None:
        return record
    return msgspec.structs.replace(
        record,
        observed_at_ns=reference.utc_at(record.mono_ns),
        clock=reference.clock_at(record.mono_ns),
        original_at_ns=record.observed_at_ns,
    )
