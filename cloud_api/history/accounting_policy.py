"""The ledger check: received + declared gaps = 1..max seq, for each stream. Sans-io.

It compares three witnesses that are written by different statements: the stored records themselves, the gaps that
the gateway declared, and the ledger of what was acknowledged. A gateway deletes on an acknowledgement, so a number
that was acknowledged and is neither stored nor declared is a loss of ours, and is called ``unbacked``.
"""

from collections.abc import Iterable

from cloud_api.history.models import SeqRange, StreamAccount, StreamEvidence


def account(evidence: StreamEvidence) -> StreamAccount:
    """Draw the balance of one stream."""
    covered = merge([*evidence.points, *evidence.gaps, *evidence.expired])
    max_seq = max((item.last_seq for item in [*covered, *evidence.ledger]), default=0)
    whole = [SeqRange(1, max_seq)] if max_seq else []
    return StreamAccount(
        stream_id=evidence.stream_id,
        received=sum(item.count() for item in evidence.points),
        declared_gap=sum(item.count() for item in evidence.gaps),
        max_seq=max_seq,
        holes=subtract(whole, covered),
        doubles=intersect(evidence.points, evidence.gaps),
        unbacked=subtract(merge(evidence.ledger), covered),
        expired=sum(item.count() for item in evidence.expired),
    )


def merge(ranges: Iterable[SeqRange]) -> list[SeqRange]:
    """Return the union of ranges as ascending ranges that neither overlap nor touch."""
    merged: list[SeqRange] = []
    for item in sorted(ranges):
        if merged and item.first_seq <= merged[-1].last_seq + 1:
            merged[-1] = SeqRange(merged[-1].first_seq, max(merged[-1].last_seq, item.last_seq))
        else:
            merged.append(item)
    return merged


def subtract(ranges: list[SeqRange], taken: list[SeqRange]) -> list[SeqRange]:
    """Return what is in ``ranges`` and not in ``taken``; both ascending and disjoint."""
    rest: list[SeqRange] = []
    position = 0
    for item in ranges:
        first_seq = item.first_seq
        while position < len(taken) and taken[position].last_seq < first_seq:
            position += 1
        index = position
        while index < len(taken) and taken[index].first_seq <= item.last_seq:
            if taken[index].first_seq > first_seq:
                rest.append(SeqRange(first_seq, taken[index].first_seq - 1))
            first_seq = max(first_seq, taken[index].last_seq + 1)
            index += 1
        if first_seq <= item.last_seq:
            rest.append(SeqRange(first_seq, item.last_seq))
    return rest


def intersect(left: list[SeqRange], right: list[SeqRange]) -> list[SeqRange]:
    """Return what is in both; both ascending and disjoint."""
    common: list[SeqRange] = []
    i = j = 0
    while i < len(left) and j < len(right):
        first_seq = max(left[i].first_seq, right[j].first_seq)
        last_seq = min(left[i].last_seq, right[j].last_seq)
        if first_seq <= last_seq:
            common.append(SeqRange(first_seq, last_seq))
        if left[i].last_seq < right[j].last_seq:
            i += 1
        else:
            j += 1
    return common
