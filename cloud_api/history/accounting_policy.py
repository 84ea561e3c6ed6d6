"""The ledger check: received + declared gaps = 1..max seq, for each stream. Sans-io.

It compares three witnesses that are written by different statements: the stored records themselves, the gaps that
the gateway declared, and the ledger of what was acknowledged. A gateway deletes on an acknowledgement, so a number
that was acknowledged and is neither stored nor declared is a loss of ours, and is called ``unbacked``. The running
balance, which the continuous accounting believes, is held against the same tables (``drift``).
"""

from cloud_api.history.models import SeqRange, StreamAccount, StreamEvidence
from cloud_api.history.ranges import intersect, merge, subtract, total


def account(evidence: StreamEvidence) -> StreamAccount:
    """Draw the balance of one stream."""
    covered = merge([*evidence.points, *evidence.gaps, *evidence.expired])
    max_seq = max((item.last_seq for item in [*covered, *evidence.ledger]), default=0)
    whole = [SeqRange(1, max_seq)] if max_seq else []
    return StreamAccount(
        stream_id=evidence.stream_id,
        received=total(evidence.points),
        declared_gap=total(evidence.gaps),
        max_seq=max_seq,
        holes=subtract(whole, covered),
        doubles=intersect(evidence.points, evidence.gaps),
        unbacked=subtract(merge(evidence.ledger), covered),
        expired=total(evidence.expired),
        drift=_drift(evidence, covered),
    )


def _drift(evidence: StreamEvidence, covered: list[SeqRange]) -> list[str]:
    """Return where the running balance has left the tables that it sums up."""
    declared = total(evidence.gaps) + evidence.expired_gap
    found = []
    if evidence.covered != covered:
        found.append(f"running balance covers {total(evidence.covered)} numbers, the tables {total(covered)}")
    if evidence.declared != declared:
        found.append(f"running balance declares {evidence.declared} numbers lost, the tables {declared}")
    return found
