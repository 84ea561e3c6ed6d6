from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.batch import Batch
from contracts.codec import decode_batch, encode_batch
from contracts.errors import PeerError
from contracts.payloads import Depth, Gap, Payload
from contracts.records import Clock, ClockState, Record, RecordClass
from gateway.outbox.backfill import DRIFT_PPM, Backfill, TimeReference, backfill

NS = 1_000_000_000
UTC = 1_790_000_000 * NS
REFERENCE = TimeReference("b", 3600 * NS, UTC, 5.0, ClockState.NTP)
UNSYNCED = Clock(ClockState.UNSYNCED)


@dataclass(frozen=True)
class Row:
    is_time_known: bool
    data: bytes


def find(boot_id: str) -> TimeReference | None:
    return REFERENCE if boot_id == "b" else None


def record(
    seq: int, mono_s: float, clock: Clock = UNSYNCED, boot_id: str = "b", payload: Payload | None = None
) -> Record:
    mono_ns = round(mono_s * NS)
    return Record(
        seq=seq, observed_at_ns=mono_ns, clock=clock, mono_ns=mono_ns, boot_id=boot_id, source="depth",
        payload=payload or Depth(below_transducer_m=4.0),
    )  # fmt: skip


def batch(*records: Record) -> Batch:
    return Batch(
        stream_id="s.g.0123456789abcdef.telemetry",
        record_class=RecordClass.TELEMETRY,
        first_seq=records[0].seq,
        last_seq=records[-1].last_seq(),
        records=list(records),
    )


def test_a_time_of_before_is_given_with_its_source_and_bound_and_the_original_is_kept() -> None:
    changed = backfill(batch(record(1, 0.0), record(2, 1800.0)), find)
    assert changed is not None
    first, second = changed.records
    assert first.observed_at_ns == UTC - 3600 * NS
    assert first.original_at_ns == 0
    assert first.clock == Clock(ClockState.NTP, 5.0 + 3_600_000 * DRIFT_PPM / 1e6)
    assert second.observed_at_ns == UTC - 1800 * NS
    assert second.clock.error_ms == 185.0
    assert (second.mono_ns, second.seq, second.boot_id) == (1800 * NS, 2, "b")


def test_a_believed_time_and_a_boot_that_never_knew_the_time_are_left_alone() -> None:
    believed = record(1, 1.0, Clock(ClockState.NTP, 900.0))
    other_boot = record(2, 1.0, boot_id="before")
    gap = record(3, 1.0, payload=Gap(first_seq=3, last_seq=9, reason="capacity"))
    assert backfill(batch(believed, other_boot, gap), find) is None


def test_a_clock_that_gnss_knows_to_be_half_a_century_off_is_given_its_time() -> None:
    """A receiver measures the clock, it does not set it: the record says GNSS and a bound of 56 years."""
    changed = backfill(batch(record(1, 3600.0, Clock(ClockState.GNSS, 1.79e12))), find)
    assert changed is not None
    assert changed.records[0].observed_at_ns == UTC
    assert changed.records[0].clock == Clock(ClockState.NTP, 5.0)


@given(st.lists(st.floats(0, 10_000), min_size=1, max_size=20))
def test_order_and_distances_are_those_of_the_monotonic_clock(moments_s: list[float]) -> None:
    records = [record(seq, mono_s) for seq, mono_s in enumerate(moments_s, 1)]
    changed = backfill(batch(*records), find)
    assert changed is not None
    assert [item.observed_at_ns - item.mono_ns for item in changed.records] == [UTC - 3600 * NS] * len(records)
    assert [item.seq for item in changed.records] == [item.seq for item in records]


def test_a_resend_is_the_same_bytes_and_a_second_pass_changes_nothing() -> None:
    data = encode_batch(batch(record(1, 1.0)))
    amend = Backfill(find)
    once = amend(Row(False, data))
    assert once != data
    assert once == amend(Row(False, data))
    assert amend(Row(False, once)) == once
    assert decode_batch(once).records[0].original_at_ns == NS


def test_what_is_known_damaged_or_without_a_reference_is_passed_on_as_it_is() -> None:
    data = encode_batch(batch(record(1, 1.0)))
    assert Backfill(find)(Row(True, data)) is data
    assert Backfill(lambda _: None)(Row(False, data)) is data
    assert Backfill(find)(Row(False, b"rubbish")) == b"rubbish"


def test_a_batch_that_would_pass_the_cap_goes_up_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Batch) -> bytes:
        raise PeerError("encode batch", "s", "too many bytes", "", "too_large")

    data = encode_batch(batch(record(1, 1.0)))
    monkeypatch.setattr("gateway.outbox.backfill.encode_batch", refuse)
    assert Backfill(find)(Row(False, data)) == data
