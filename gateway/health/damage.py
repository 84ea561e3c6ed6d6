"""What a salvage of the outbox says to people: a log record with the exact ranges, and an alarm where data is lost."""

from contracts.payloads import HealthEvent, Log, Payload
from gateway.outbox.salvage import ranges
from gateway.outbox.salvage.models import Damage

SUBJECT = "outbox/data"
MAX_TEXT = 2000
"""Of the ranges in one record; all of them lie in the report beside the damaged file, and go up as gap records."""


def told_of(damage: Damage) -> list[Payload]:
    """Return the records that tell of a salvage.

    Args:
        damage: its report.
    """
    lost = "; ".join(f"{stream_id}: {ranges.text(lost)}" for stream_id, lost in damage.lost.items())
    entry = Log(
        level="error",
        event="outbox_set_aside",
        fields={
            "file": damage.file,
            "cause": damage.cause[:300],
            "saved_batches": damage.saved_batches,
            "saved_records": damage.saved_records,
            "left_batches": damage.left_batches,
            "lost_records": damage.lost_records,
            "lost": lost if len(lost) <= MAX_TEXT else f"{lost[:MAX_TEXT]}…",
        },
    )
    reason = f"{damage.lost_records} records lost, {damage.saved_records} saved: {damage.cause[:200]}"
    return [entry, HealthEvent(subject=SUBJECT, is_healthy=damage.lost_records == 0, reason=reason)]
