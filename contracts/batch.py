"""The unit of transport and of acknowledgement: a sealed range of one stream.

Sealed once: its range is never cut anew. What has to be given up later is replaced inside the range by gap records,
so that the range stays the batch's identity.
"""

import msgspec

from contracts.errors import PeerError
from contracts.ids import split_stream_id
from contracts.limits import MAX_BATCH_RECORDS
from contracts.payloads import Gap
from contracts.records import Record, RecordClass

WIRE_VERSION = 1


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Records ``first_seq`` to ``last_seq`` of one stream; each number is accounted for by one record or gap."""

    version: int = WIRE_VERSION
    stream_id: str
    record_class: RecordClass
    first_seq: int
    last_seq: int
    records: list[Record]


class RawBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch whose records are JSON text already, a whole array: what an outbox writes and joins."""

    version: int = WIRE_VERSION
    stream_id: str
    record_class: RecordClass
    first_seq: int
    last_seq: int
    records: msgspec.Raw


class BatchEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """What can be read of a batch whose version or records are not understood."""

    version: int
    stream_id: str = ""
    first_seq: int = 0
    last_seq: int = 0


def check_batch(batch: Batch) -> None:
    """Refuse a batch that breaks its own rules.

    Raises:
        PeerError: with reason ``bad_id`` (stream id), ``wrong_class`` (class is not the stream's),
            ``too_many_records``, ``bad_range`` (empty, starts below 1) or ``range_mismatch`` (records do not tile the
            range exactly).
    """
    subject = f"{batch.stream_id[:120]} {batch.first_seq}..{batch.last_seq}"
    stream_class = split_stream_id(batch.stream_id)[3]
    if stream_class != batch.record_class.value:
        raise PeerError("check batch", subject, f"class is {batch.record_class.value}", "", "wrong_class")
    if len(batch.records) > MAX_BATCH_RECORDS:
        raise PeerError("check batch", subject, f"{len(batch.records)} records", "", "too_many_records")
    if batch.first_seq < 1 or batch.last_seq < batch.first_seq:
        raise PeerError("check batch", subject, "not a range", "", "bad_range")
    expected = batch.first_seq
    for record in batch.records:
        # a hundred thousand times a second in a busy cloud: no call where a record is no gap
        payload = record.payload
        last_seq = payload.last_seq if isinstance(payload, Gap) else record.seq
        if record.seq != expected or last_seq < expected:
            raise PeerError(
                "check batch", subject, f"record {record.seq} where {expected} belongs", "", "range_mismatch"
            )
        expected = last_seq + 1
    if expected != batch.last_seq + 1:
        raise PeerError("check batch", subject, f"records end at {expected - 1}", "", "range_mismatch")
