"""The row that a batch has in the database, made from nothing but the batch. Sans-io."""

from contracts.payloads import Gap
from contracts.records import ClockState
from gateway.outbox import packing
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow
from gateway.outbox.salvage.carving import Found


def row_of(found: Found, key: int) -> BatchRow:
    """Return the row of a batch: everything that it says of itself.

    Args:
        found: the batch.
        key: of its stream in the database that the row is for.
    """
    batch = found.batch
    records = [item for item in batch.records if not isinstance(item.payload, Gap)] or batch.records
    oldest = min(records, key=lambda item: item.observed_at_ns)
    is_known = all(item.clock.state is not ClockState.UNSYNCED for item in records)
    numbers = batch.last_seq - batch.first_seq + 1
    content = Content.RECORDS if found.records == numbers else Content.THINNED if found.records else Content.GAPS
    crc = packing.crc_of(batch.stream_id, batch.first_seq, batch.last_seq, found.data)
    return BatchRow(
        key, batch.stream_id, batch.first_seq, batch.last_seq, False, content, is_known, oldest.observed_at_ns,
        records[0].mono_ns, records[0].boot_id[:64], crc, found.data,
    )  # fmt: skip
