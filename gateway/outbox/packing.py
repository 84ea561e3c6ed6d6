"""Turns records into the bytes of batches, and ranges into declared gaps. Sans-io."""

import msgspec

from contracts.batch import Batch
from contracts.codec import digest, encode_batch
from contracts.errors import PeerError
from contracts.limits import MAX_RECORD_BYTES
from contracts.payloads import Gap
from contracts.records import Clock, ClockState, Observation, Record, RecordClass, record_from
from gateway.outbox.tables import BatchRow

GATEWAY_SOURCE = "gateway"
"""Source of the records that the gateway itself writes; no driver may use it."""
REASON_TOO_LARGE = "too_large"
REASON_DAMAGED = "damaged"

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Record)


def pack_record(observation: Observation, seq: int, source: str) -> tuple[bytes, bool]:
    """Encode one observation at its place.

    Args:
        observation: what was observed.
        seq: its number.
        source: checked id of the source it came from, for the gap that takes its place if it is too large.

    Returns:
        The record as JSON, and whether it had to be replaced by a gap because it is over ``MAX_RECORD_BYTES``.
    """
    data = _ENCODER.encode(record_from(observation, seq))
    if len(data) <= MAX_RECORD_BYTES:
        return data, False
    gap = Record(
        seq=seq,
        observed_at_ns=observation.observed_at_ns,
        clock=observation.clock,
        mono_ns=observation.mono_ns,
        boot_id=observation.boot_id[:64],
        source=source,
        payload=Gap(first_seq=seq, last_seq=seq, reason=REASON_TOO_LARGE),
    )
    return _ENCODER.encode(gap), True


def unpack_record(data: bytes, seq: int) -> Record:
    """Decode a pending record; one that is not what was written becomes a gap with reason ``damaged``."""
    try:
        record = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return _gap_record(seq, seq, REASON_DAMAGED, 0, 0, "")
    return record if record.seq == seq else _gap_record(seq, seq, REASON_DAMAGED, 0, 0, "")


def pack_batches(stream_id: str, name: RecordClass, records: list[Record]) -> list[BatchRow]:
    """Seal records into batches: one, or as many as the size cap asks for.

    Args:
        stream_id: of their stream.
        name: their class.
        records: at least one, in order, without holes.
    """
    try:
        return [_pack(stream_id, name, records)]
    except PeerError:
        # only incompressible records reach the cap; a single one is far below it, so this ends
        middle = len(records) // 2
        if middle == 0:
            raise
        return pack_batches(stream_id, name, records[:middle]) + pack_batches(stream_id, name, records[middle:])


def pack_gap(stream_id: str, row: BatchRow, reason: str) -> BatchRow:
    """Return the batch that takes the place of ``row``: same range, one gap record that covers it."""
    record = _gap_record(row.first_seq, row.last_seq, reason, row.oldest_at_ns, row.oldest_mono_ns, row.boot_id)
    return _pack(stream_id, row.record_class, [record])


def pack_declaration(stream_id: str, name: RecordClass, first_seq: int, last_seq: int, reason: str) -> BatchRow:
    """Return a batch that declares a range of which nothing else is left."""
    return _pack(stream_id, name, [_gap_record(first_seq, last_seq, reason, 0, 0, "")])


def is_intact(row: BatchRow) -> bool:
    """Tell whether a stored batch is what was written."""
    return digest(row.data) == row.digest


def _gap_record(first_seq: int, last_seq: int, reason: str, at_ns: int, mono_ns: int, boot_id: str) -> Record:
    return Record(
        seq=first_seq,
        observed_at_ns=at_ns,
        clock=Clock(ClockState.UNSYNCED),
        mono_ns=mono_ns,
        boot_id=boot_id,
        source=GATEWAY_SOURCE,
        payload=Gap(first_seq=first_seq, last_seq=last_seq, reason=reason),
    )


def _pack(stream_id: str, name: RecordClass, records: list[Record]) -> BatchRow:
    first_seq, last_seq = records[0].seq, records[-1].last_seq()
    data = encode_batch(
        Batch(stream_id=stream_id, record_class=name, first_seq=first_seq, last_seq=last_seq, records=records)
    )
    oldest = min(records, key=lambda record: record.observed_at_ns)
    return BatchRow(
        record_class=name,
        first_seq=first_seq,
        last_seq=last_seq,
        is_gap=all(isinstance(record.payload, Gap) for record in records),
        is_time_known=all(record.clock.state is not ClockState.UNSYNCED for record in records),
        oldest_at_ns=oldest.observed_at_ns,
        oldest_mono_ns=records[0].mono_ns,
        boot_id=records[0].boot_id,
        digest=digest(data),
        data=data,
    )
