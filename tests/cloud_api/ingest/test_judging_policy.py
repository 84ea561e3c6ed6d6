"""What is stored and what is refused, for any bytes."""

import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.ingest.judging_policy import Accepted, Refused, committed_receipt, judge, refused_receipt
from contracts.codec import digest, encode_batch
from contracts.receipt import Outcome
from contracts.topics import Channel, Topic
from tests.support.batches import GATEWAY, SITE, STREAM, batch

TOPIC = Topic(site=SITE, gateway=GATEWAY, channel=Channel.RECORDS)
REASONS = {
    "too_large", "not_zstd", "bomb", "unknown_version", "not_a_batch", "bad_id", "wrong_class", "too_many_records",
    "bad_range", "range_mismatch", "foreign_stream", "number_too_large",
}  # fmt: skip


@given(st.binary(max_size=300))
def test_any_bytes_are_accepted_or_refused_with_a_known_reason(data: bytes) -> None:
    verdict = judge(TOPIC, data)
    assert isinstance(verdict, Refused)
    assert verdict.reason in REASONS


@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_batch_with_changed_bytes_never_raises(place: int, noise: bytes) -> None:
    data = encode_batch(batch(1, 5))
    place %= len(data)
    verdict = judge(TOPIC, data[:place] + noise + data[place + len(noise) :])
    assert isinstance(verdict, Accepted) or verdict.reason in REASONS


@given(st.dictionaries(st.sampled_from(["version", "stream_id", "first_seq", "last_seq", "records"]), st.none()
                       | st.integers() | st.text(max_size=20) | st.lists(st.integers(), max_size=3)))  # fmt: skip
def test_a_batch_with_changed_fields_never_raises(changes: dict[str, object]) -> None:
    sealed = json.loads(zstandard.ZstdDecompressor().stream_reader(encode_batch(batch(1, 3))).read())
    data = zstandard.ZstdCompressor().compress(json.dumps(sealed | changes).encode())
    verdict = judge(TOPIC, data)
    assert isinstance(verdict, Accepted) or verdict.reason in REASONS
    if isinstance(verdict, Refused):
        assert refused_receipt(verdict).digest == digest(data)


def test_a_good_batch_is_accepted() -> None:
    verdict = judge(TOPIC, encode_batch(batch(1, 5)))
    assert isinstance(verdict, Accepted)
    receipt = committed_receipt(verdict.batch)
    assert (receipt.outcome, receipt.stream_id, receipt.last_seq) == (Outcome.COMMITTED, STREAM, 5)


@pytest.mark.parametrize("stream_id", [f"{SITE}.gw-2.abcd1234.track", f"other-port.{GATEWAY}.abcd1234.track"])
def test_the_stream_of_another_gateway_is_refused_and_not_named_in_the_receipt(stream_id: str) -> None:
    verdict = judge(TOPIC, encode_batch(batch(1, 5, stream_id=stream_id)))
    assert isinstance(verdict, Refused)
    assert verdict.reason == "foreign_stream"
    assert verdict.stream_id == stream_id
    assert refused_receipt(verdict).stream_id == ""


def test_a_refusal_names_the_range_where_it_can_be_read() -> None:
    data = zstandard.ZstdCompressor().compress(
        json.dumps({"version": 2, "stream_id": STREAM, "first_seq": 7, "last_seq": 9}).encode()
    )
    verdict = judge(TOPIC, data)
    assert isinstance(verdict, Refused)
    receipt = refused_receipt(verdict)
    assert (receipt.reason, receipt.stream_id, receipt.first_seq, receipt.last_seq) == ("unknown_version", STREAM, 7, 9)
