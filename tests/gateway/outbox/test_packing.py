import os

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.codec import decode_batch
from contracts.ids import make_stream_id
from contracts.limits import MAX_BATCH_BYTES, MAX_RECORD_BYTES
from contracts.payloads import Gap, Log
from contracts.records import Record, RecordClass, record_from
from gateway.outbox import packing
from tests.support.gateway_records import GATEWAY, SITE, ais, observation

STREAM = make_stream_id(SITE, GATEWAY, "0123456789abcdef", "track")
LOG_STREAM = make_stream_id(SITE, GATEWAY, "0123456789abcdef", "log")


def test_a_record_over_the_cap_leaves_a_gap_in_its_place() -> None:
    data, is_replaced = packing.pack_record(observation(Log(level="info", event="x" * MAX_RECORD_BYTES)), 7, "ais")
    record = packing.unpack_record(data, 7)
    assert is_replaced
    assert len(data) <= MAX_RECORD_BYTES
    assert record.payload == Gap(first_seq=7, last_seq=7, reason="too_large")


def test_a_pending_record_that_was_damaged_becomes_a_gap() -> None:
    data, _ = packing.pack_record(ais(1), 3, "ais")
    for broken in (data[:-1], b"", b"{}", data.replace(b'"seq":3', b'"seq":4')):
        record = packing.unpack_record(broken, 3)
        assert record.payload == Gap(first_seq=3, last_seq=3, reason="damaged")


def test_records_that_do_not_compress_are_cut_into_batches_below_the_cap() -> None:
    records = [record_from(observation(Log(level="info", event=os.urandom(3500).hex())), seq) for seq in range(1, 201)]
    rows = packing.pack_batches(LOG_STREAM, RecordClass.LOG, records)
    assert len(rows) > 1
    assert all(len(row.data) <= MAX_BATCH_BYTES for row in rows)
    seqs = [record.seq for row in rows for record in decode_batch(row.data).records]
    assert seqs == list(range(1, 201))


@settings(max_examples=30, deadline=None)
@given(first=st.integers(1, 10**9), count=st.integers(1, 50))
def test_a_batch_decodes_to_its_records_and_a_gap_to_its_range(first: int, count: int) -> None:
    records = [record_from(ais(number), first + number) for number in range(count)]
    (row,) = packing.pack_batches(STREAM, RecordClass.TRACK, records)
    batch = decode_batch(row.data)
    assert batch.records == records
    assert (row.first_seq, row.last_seq) == (first, first + count - 1)
    assert packing.is_intact(row)
    gap = packing.pack_gap(STREAM, row, "capacity")
    only: list[Record] = decode_batch(gap.data).records
    assert gap.is_gap
    assert [(item.seq, item.last_seq()) for item in only] == [(first, first + count - 1)]
