"""Codec: what is decoded is what was encoded, and any bytes give a batch or one PeerError."""

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from contracts import codec, limits
from contracts.batch import Batch
from contracts.errors import PeerError
from contracts.health import GatewayStatus
from contracts.ids import make_stream_id
from contracts.payloads import Gap, Wind
from contracts.receipt import Outcome, Receipt
from contracts.records import Clock, ClockState, Observation, Record, RecordClass, record_from

STREAM = make_stream_id("puerto-demo", "gw-1", "0123456789abcdef", "telemetry")


def record(seq: int, payload: Wind | Gap | None = None) -> Record:
    observation = Observation(
        observed_at_ns=1_764_000_000_000_000_000 + seq,
        clock=Clock(ClockState.NTP, 1.5),
        mono_ns=seq,
        boot_id="b00t",
        source="wind",
        payload=payload or Wind(speed_mps=3.5, direction_deg=270.0),
    )
    return record_from(observation, seq)


def batch(records: list[Record], first: int, last: int, stream: str = STREAM) -> Batch:
    return Batch(stream_id=stream, record_class=RecordClass.TELEMETRY, first_seq=first, last_seq=last, records=records)


def refused(data: bytes) -> str:
    with pytest.raises(PeerError) as caught:
        codec.decode_batch(data)
    return caught.value.reason


def pack(value: object) -> bytes:
    return zstandard.compress(msgspec.json.encode(value))


@given(st.integers(1, 1 << 40), st.integers(1, 20))
def test_decode_gives_back_what_was_encoded(first: int, count: int) -> None:
    sent = batch([record(seq) for seq in range(first, first + count)], first, first + count - 1)
    assert codec.decode_batch(codec.encode_batch(sent)) == sent


@given(st.binary(max_size=400))
def test_any_bytes_give_a_peer_error(data: bytes) -> None:
    assert refused(data) in {"not_zstd", "not_a_batch", "unknown_version", "bomb"}


@given(st.binary(max_size=400))
def test_any_bytes_inside_a_frame_give_a_peer_error(data: bytes) -> None:
    assert refused(zstandard.compress(data)) in {"not_a_batch", "unknown_version"}


@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_wrong_byte_anywhere_in_a_batch_gives_a_batch_or_a_peer_error(place: float, byte: int) -> None:
    text = bytearray(zstandard.ZstdDecompressor().decompress(codec.encode_batch(batch([record(1)], 1, 1))))
    text[int(place * len(text))] = byte
    try:
        codec.decode_batch(zstandard.ZstdCompressor().compress(bytes(text)))
    except PeerError as exc:
        assert exc.reason  # noqa: PT017 - a batch may come out as well


def test_text_that_is_no_unicode_inside_of_a_value_is_refused() -> None:
    text = zstandard.ZstdDecompressor().decompress(codec.encode_batch(batch([record(1)], 1, 1)))
    assert refused(zstandard.ZstdCompressor().compress(text.replace(b"b00t", b"b\xff0t"))) == "not_a_batch"


def test_a_gap_accounts_for_its_range() -> None:
    sent = batch([record(1), record(2, Gap(first_seq=2, last_seq=9, reason="capacity")), record(10)], 1, 10)
    assert codec.decode_batch(codec.encode_batch(sent)) == sent


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (batch([record(1), record(3)], 1, 3), "range_mismatch"),
        (batch([record(2)], 1, 2), "range_mismatch"),
        (batch([record(1)], 1, 2), "range_mismatch"),
        (batch([record(1), record(1)], 1, 2), "range_mismatch"),
        (batch([record(5, Gap(first_seq=5, last_seq=4, reason="x"))], 5, 5), "range_mismatch"),
        (batch([], 0, 0), "bad_range"),
        (batch([], 2, 1), "bad_range"),
        (batch([record(1)], 1, 1, "no-stream"), "bad_id"),
        (batch([record(1)], 1, 1, STREAM.replace("telemetry", "track")), "wrong_class"),
    ],
)
def test_a_batch_that_breaks_its_rules_is_refused_by_reason(wrong: Batch, reason: str) -> None:
    assert refused(pack(wrong)) == reason


def test_too_many_records_are_refused() -> None:
    count = limits.MAX_BATCH_RECORDS + 1
    assert refused(pack(batch([record(seq) for seq in range(1, count + 1)], 1, count))) == "too_many_records"


def test_an_unknown_version_is_refused_and_its_range_can_still_be_read() -> None:
    data = pack({"version": 2, "stream_id": STREAM, "first_seq": 4, "last_seq": 9, "columns": []})
    assert refused(data) == "unknown_version"
    envelope = codec.peek_envelope(data)
    assert envelope is not None
    assert (envelope.version, envelope.first_seq, envelope.last_seq) == (2, 4, 9)


def test_an_unknown_field_of_a_known_version_is_ignored() -> None:
    value = msgspec.to_builtins(batch([record(1)], 1, 1)) | {"signed_by": "someone"}
    value["records"][0]["colour"] = "red"
    assert codec.decode_batch(pack(value)).records == [record(1)]


def test_a_decompression_bomb_is_refused_before_it_is_unpacked() -> None:
    assert refused(zstandard.compress(b"0" * (limits.MAX_DECODED_BYTES * 20))) == "bomb"


def test_a_bomb_without_its_size_in_the_header_is_refused() -> None:
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    data = compressor.compress(b" " * (limits.MAX_DECODED_BYTES + 1)) + compressor.flush()
    assert refused(data) == "bomb"


def test_deep_nesting_is_refused() -> None:
    assert refused(zstandard.compress(b'{"version":1,"records":' + b"[" * 100_000)) == "not_a_batch"


def test_an_oversized_payload_is_refused_unread() -> None:
    assert refused(b"\0" * (limits.MAX_BATCH_BYTES + 1)) == "too_large"


def test_a_cut_payload_is_refused_at_every_byte() -> None:
    data = codec.encode_batch(batch([record(seq) for seq in range(1, 6)], 1, 5))
    for length in range(len(data)):
        assert refused(data[:length]) in {"not_zstd", "not_a_batch"}, length


def test_messages_round_trip_and_refuse_garbage() -> None:
    receipt = Receipt(outcome=Outcome.COMMITTED, stream_id=STREAM, first_seq=1, last_seq=200)
    assert codec.decode_message(codec.encode_message(receipt), Receipt) == receipt
    with pytest.raises(PeerError):
        codec.decode_message(b"{}", GatewayStatus)
    with pytest.raises(PeerError):
        codec.decode_message(b" " * (limits.MAX_MESSAGE_BYTES + 1), Receipt)
