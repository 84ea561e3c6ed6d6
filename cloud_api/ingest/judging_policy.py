"""Decides what an arriving payload is worth: a batch to store, or a refusal with its reason. Sans-io.

A refused payload will never be accepted as it is: its sender sets it aside instead of sending it for ever.
"""

from dataclasses import dataclass

from contracts.batch import Batch
from contracts.codec import decode_batch, digest, peek_envelope
from contracts.errors import PeerError
from contracts.ids import split_stream_id
from contracts.receipt import Outcome, Receipt
from contracts.topics import Topic

MAX_SEQ = 2**63 - 2
"""Largest number of a record: it and the number behind it are what every store of ours can hold; at a million records a
second, 292,000 years."""


@dataclass(frozen=True)
class Accepted:
    """A batch that may be stored."""

    topic: Topic
    batch: Batch
    data: bytes


@dataclass(frozen=True)
class Refused:
    """A payload that will not be stored.

    Attributes:
        topic: where it arrived.
        reason: short snake_case word, of a closed set.
        cause: why, in plain words.
        data: the payload as it arrived.
        stream_id: of the batch, '' where it could not be read; likewise 0 for the range.
        first_seq: first number of its range.
        last_seq: last number of its range.
    """

    topic: Topic
    reason: str
    cause: str
    data: bytes
    stream_id: str = ""
    first_seq: int = 0
    last_seq: int = 0


def judge(topic: Topic, data: bytes) -> Accepted | Refused:
    """Decode a payload and check that it belongs to the gateway whose topic it came by.

    The broker ties a topic to a certificate; the check ties the stream to the topic, so that no gateway can write
    into the history of another.

    Args:
        topic: where it arrived.
        data: any bytes.

    Returns:
        The batch, or a refusal with a reason of ``contracts.codec.decode_batch``, ``foreign_stream`` or
        ``number_too_large``.
    """
    try:
        batch = decode_batch(data)
    except PeerError as exc:
        return _unreadable(topic, data, exc)
    site, gateway, _, _ = split_stream_id(batch.stream_id)
    if (site, gateway) != (topic.site, topic.gateway):
        cause = f"stream of {site}/{gateway} on the topic of {topic.site}/{topic.gateway}"
        return refuse(topic, batch, data, "foreign_stream", cause)
    if batch.last_seq > MAX_SEQ:
        return refuse(topic, batch, data, "number_too_large", "sequence number too large for 63 bit")
    return Accepted(topic, batch, data)


def refuse(topic: Topic, batch: Batch, data: bytes, reason: str, cause: str) -> Refused:
    """Return the refusal of a batch that could be read."""
    return Refused(topic, reason, cause, data, batch.stream_id, batch.first_seq, batch.last_seq)


def committed_receipt(batch: Batch) -> Receipt:
    """Return what tells the gateway to delete the batch."""
    return Receipt(
        outcome=Outcome.COMMITTED, stream_id=batch.stream_id, first_seq=batch.first_seq, last_seq=batch.last_seq
    )


def refused_receipt(refused: Refused) -> Receipt:
    """Return what tells the gateway to set the batch aside.

    A stream of another gateway is not named: the receipt goes to the sender, who must find it by its digest.
    """
    is_own = refused.stream_id.startswith(f"{refused.topic.site}.{refused.topic.gateway}.")
    return Receipt(
        outcome=Outcome.REFUSED,
        stream_id=refused.stream_id if is_own else "",
        first_seq=refused.first_seq if is_own else 0,
        last_seq=refused.last_seq if is_own else 0,
        digest=digest(refused.data),
        reason=refused.reason,
    )


def _unreadable(topic: Topic, data: bytes, error: PeerError) -> Refused:
    envelope = peek_envelope(data)
    if envelope is None:
        return Refused(topic, error.reason, error.cause, data)
    stream_id = envelope.stream_id[:160]
    return Refused(topic, error.reason, error.cause, data, stream_id, envelope.first_seq, envelope.last_seq)
