import os
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.codec import decode_batch
from contracts.ids import make_stream_id
from contracts.limits import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_RECORD_BYTES
from contracts.payloads import Gap, Log
from contracts.records import Observation, Record, record_from
from gateway.outbox import packing
from gateway.outbox.models import Content
from gateway.outbox.packing import BatchRow, Tail
from tests.support.gateway_records import GATEWAY, SITE, ais, observation

STREAM = make_stream_id(SITE, GATEWAY, "0123456789abcdef", "track")
LOG_STREAM = make_stream_id(SITE, GATEWAY, "0123456789abcdef", "log")


def pack(first: int, items: list[Observation], stream_id: str = STREAM, *, is_open: bool = True) -> list[BatchRow]:
    tail = Tail(first)
    for item, body in zip(items, packing.encode(items), strict=True):
        tail.add(item, body, "ais")
    return tail.pack(1, stream_id, is_open=is_open)


def test_a_record_over_the_cap_leaves_a_gap_in_its_place() -> None:
    item = observation(Log(level="info", event="x" * MAX_RECORD_BYTES))
    tail = Tail(7)
    assert not tail.add(item, packing.encode([item])[0], "ais")
    (row,) = tail.pack(1, LOG_STREAM, is_open=True)
    (record,) = decode_batch(row.data).records
    assert record.payload == Gap(first_seq=7, last_seq=7, reason="too_large")
    assert (record.source, record.observed_at_ns, record.clock) == ("ais", item.observed_at_ns, item.clock)


def test_records_that_do_not_compress_are_cut_into_batches_below_the_cap() -> None:
    rows = pack(1, [observation(Log(level="info", event=os.urandom(3500).hex())) for _ in range(200)], LOG_STREAM)
    assert len(rows) > 1
    assert all(len(row.data) <= MAX_BATCH_BYTES for row in rows)
    seqs = [record.seq for row in rows for record in decode_batch(row.data).records]
    assert seqs == list(range(1, 201))


@settings(max_examples=30, deadline=None)
@given(first=st.integers(1, 10**9), count=st.integers(1, 50))
def test_a_batch_decodes_to_its_records_and_a_gap_to_its_range(first: int, count: int) -> None:
    (row,) = pack(first, [ais(number) for number in range(count)])
    batch = decode_batch(row.data)
    assert batch.records == [record_from(ais(number), first + number) for number in range(count)]
    assert (row.first_seq, row.last_seq) == (first, first + count - 1)
    assert packing.is_intact(row)
    gap = packing.pack_gap(row, "capacity")
    only: list[Record] = decode_batch(gap.data).records
    assert (gap.content, gap.is_open) == (Content.GAPS, False)
    assert packing.is_intact(gap)
    assert [(item.seq, item.last_seq()) for item in only] == [(first, first + count - 1)]


def test_a_batch_that_stands_under_another_name_or_range_is_not_intact() -> None:
    (row,) = pack(5, [ais(1)])
    assert not packing.is_intact(replace(row, first_seq=4))
    assert not packing.is_intact(replace(row, stream_id=LOG_STREAM))
    assert not packing.is_intact(replace(row, data=row.data[:-1]))


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 200), min_size=1, max_size=12))
def test_joined_batches_hold_the_same_records_in_the_same_order(sizes: list[int]) -> None:
    rows, first = [], 1
    for size in sizes:
        rows += pack(first, [ais(number) for number in range(first, first + size)])
        first += size
    joined = packing.join(rows)
    assert [part for parts, _ in joined for part in parts] == rows
    for parts, row in joined:
        assert (row.first_seq, row.last_seq) == (parts[0].first_seq, parts[-1].last_seq)
        assert row.last_seq - row.first_seq < MAX_BATCH_RECORDS
        assert not row.is_open
        assert packing.is_intact(row)
        expected = [record_from(ais(seq), seq) for seq in range(row.first_seq, row.last_seq + 1)]
        assert decode_batch(row.data).records == expected
    assert all(after.last_seq - before.first_seq >= MAX_BATCH_RECORDS for (_, before), (_, after) in pairwise(joined))


def test_a_damaged_batch_is_not_joined_and_holds_up_nobody() -> None:
    rows = [pack(seq, [ais(seq)])[0] for seq in range(1, 6)]
    rows[2] = replace(rows[2], data=b"x" + rows[2].data[1:])
    joined = packing.join(rows)
    assert [(row.first_seq, row.last_seq) for _, row in joined] == [(1, 2), (3, 3), (4, 5)]
    assert [packing.is_intact(row) for _, row in joined] == [True, False, True]


def test_batches_with_a_hole_between_them_are_not_joined() -> None:
    rows = [pack(seq, [ais(seq)])[0] for seq in (1, 3)]
    assert [(row.first_seq, row.last_seq) for _, row in packing.join(rows)] == [(1, 1), (3, 3)]
