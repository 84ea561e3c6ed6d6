"""Judges the validity of a verified chain of certificates by a time that is not the system clock's. Sans-io.

A floor says only that it is at least that late: what ended before it has ended. That a certificate begins after it is
no fault, because the device may have been away; but it is signed by an authority that is trusted, so it raises the
floor for the rest of the chain.

*Source:* RFC 5280 clause 4.1.2.5 and clause 6.1.3 (a) (2); docs/adr/0124.
"""

from collections.abc import Sequence

from gateway.certificate import Validity
from gateway.timekeeping.floor_policy import JudgeBy

UNREADABLE = "a certificate of the chain cannot be read"
EXPIRED = "certificate has expired by the last known time"
NOT_YET = "certificate is not yet valid"
EMPTY = "no chain of certificates"


def objection(chain: Sequence[Validity | None], judge_by: JudgeBy) -> str:
    """Return what is wrong with a chain, empty if nothing is.

    Args:
        chain: from the server's certificate to the authority; None for one that cannot be read.
        judge_by: the time.
    """
    if not chain:
        return EMPTY
    known = [item for item in chain if item is not None]
    if len(known) < len(chain):
        return UNREADABLE
    at_s = judge_by.at_ns / 1e9
    begins_at = max(item.begins_at for item in known)
    if judge_by.is_floor:
        at_s = max(at_s, begins_at)
    elif at_s < begins_at:
        return NOT_YET
    return EXPIRED if at_s > min(item.ends_at for item in known) else ""
