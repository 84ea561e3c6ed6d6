"""Gap records as the outbox writes them. Sans-io."""

from collections.abc import Sequence

from contracts.payloads import Gap
from contracts.records import Clock, ClockState, Record

GATEWAY_SOURCE = "gateway"
"""Source of the records that the gateway itself writes; no driver may use it."""


def gap_record(first_seq: int, last_seq: int, reason: str, like: Record | None = None) -> Record:
    """Return the declaration of a range.

    Args:
        first_seq: first number that is gone.
        last_seq: last of them.
        reason: why, one of the words in docs/gaps.md.
        like: record that gives it a time, as gaps of one batch should share one: equal bytes compress to nothing.
    """
    return Record(
        seq=first_seq,
        observed_at_ns=like.observed_at_ns if like else 0,
        clock=Clock(ClockState.UNSYNCED),
        mono_ns=like.mono_ns if like else 0,
        boot_id=like.boot_id if like else "",
        source=GATEWAY_SOURCE,
        payload=Gap(first_seq=first_seq, last_seq=last_seq, reason=reason),
    )


def join_gaps(records: Sequence[Record]) -> list[Record]:
    """Return the records with neighbouring gaps of one reason made one, which takes the time of the first.

    Args:
        records: in order, without holes.
    """
    joined: list[Record] = []
    for record in records:
        before = joined[-1].payload if joined else None
        payload = record.payload
        if isinstance(payload, Gap) and isinstance(before, Gap) and before.reason == payload.reason:
            joined[-1] = gap_record(before.first_seq, payload.last_seq, before.reason, joined[-1])
        else:
            joined.append(record)
    return joined
