"""Payloads that are wrong in one way each, as a broken or hostile gateway would send them."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import zstandard

from contracts.codec import encode_batch
from contracts.limits import MAX_BATCH_BYTES, MAX_DECODED_BYTES
from tests.support.batches import SITE, batch, of_another_writer, position, record

NOT_A_NUMBER = "@"
"""Stands for a token that ``json`` does not write."""


def altered(change: Callable[[dict[str, Any]], object], token: str = "") -> bytes:
    """Return a batch of three records whose first one was changed as JSON; ``token`` replaces ``"@"`` in the text."""
    text = zstandard.ZstdDecompressor().stream_reader(encode_batch(batch(1, 3))).read()
    document = json.loads(text)
    change(document["records"][0])
    return compressed(json.dumps(document).replace(f'"{NOT_A_NUMBER}"', token or f'"{NOT_A_NUMBER}"').encode())


def compressed(text: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(text)


def wrong_types() -> dict[str, bytes]:
    """One value each that is not of its type; every one of them makes its batch ``not_a_batch``."""
    return {
        "text for a number": altered(lambda one: one["payload"].update(sog_kn="fast")),
        "text for a sequence number": altered(lambda one: one.update(seq="1")),
        "truth for a sequence number": altered(lambda one: one.update(seq=True)),
        "fraction for a time": altered(lambda one: one.update(observed_at_ns=1.5)),
        "number for a text": altered(lambda one: one.update(source=7)),
        "nothing for a payload": altered(lambda one: one.update(payload=None)),
        "unknown payload": altered(lambda one: one["payload"].update(type="spam")),
        "unknown clock": altered(lambda one: one["clock"].update(state="sundial")),
        "no Unicode": altered(lambda one: one.update(source=NOT_A_NUMBER), '"\\ud800"'),
        "no UTF-8": _no_utf8(),
        "NaN": altered(lambda one: one["payload"].update(sog_kn=NOT_A_NUMBER), "NaN"),
        "Infinity": altered(lambda one: one["payload"].update(sog_kn=NOT_A_NUMBER), "Infinity"),
        "larger than a float": altered(lambda one: one["payload"].update(sog_kn=NOT_A_NUMBER), "1e999"),
    }


def oversize() -> dict[str, bytes]:
    """Too much of something, by the reason of its refusal."""
    last = 2**63
    return {
        "too_large": b"\x00" * (MAX_BATCH_BYTES + 1),
        "bomb": compressed(b" " * (MAX_DECODED_BYTES + 1)),
        "too_many_records": compressed(msgspec.json.encode(batch(1, 501))),
        "number_too_large": encode_batch(batch(last, last, records=[record(last, observed_at_ns=1)])),
    }


def foreign() -> bytes:
    """A batch of another gateway's stream."""
    return encode_batch(batch(1, 3, stream_id=f"{SITE}.gw-2.abcd1234.track"))


def of_two_writers() -> bytes:
    """The batch 1..3 as a second writer of the stream has it."""
    return encode_batch(of_another_writer(batch(1, 3)))


def at(first_seq: int, observed_at_ns: int, count: int = 3) -> bytes:
    """A batch whose records were all observed at one time, each of a ship of its own."""
    records = [
        record(seq, position(224_000_000 + seq), observed_at_ns=observed_at_ns)
        for seq in range(first_seq, first_seq + count)
    ]
    return encode_batch(batch(first_seq, first_seq + count - 1, records=records))


def _no_utf8() -> bytes:
    text = zstandard.ZstdDecompressor().stream_reader(encode_batch(batch(1, 3))).read()
    return compressed(text.replace(b'"boot-1"', b'"boot-\xff"', 1))
