"""When a boot takes its reference: the first moment at which its time is well enough known. Sans-io."""

from gateway.outbox.backfill import TimeReference
from gateway.timekeeping.floor_policy import BelievedTime

GOOD_ERROR_MS = 250.0
"""Below it the reference is taken at once: an hour of drift at 100 ppm later a back-filled time is right to 0.7 s."""
SETTLE_NS = 60_000_000_000
"""A daemon that has just set the clock still bounds its error by hundreds of ms and gets better by the minute; one that
does not get better is taken as it is, with the bound that it states."""
WORST_ERROR_MS = 60_000.0
"""What is less sure than a minute is no reference at all."""


class ReferencePolicy:
    """Waits for the reference of one boot.

    Args:
        boot_id: the boot.
    """

    def __init__(self, boot_id: str) -> None:
        self._boot_id = boot_id
        self._believed_since_ns: int | None = None

    def judge(self, known: BelievedTime | None) -> TimeReference | None:
        """Return the reference once it is to be taken, None while it is to be waited for.

        Args:
            known: the believed time now, if any.
        """
        if known is None or known.error_ms > WORST_ERROR_MS:
            self._believed_since_ns = None
            return None
        if self._believed_since_ns is None:
            self._believed_since_ns = known.mono_ns
        if known.error_ms > GOOD_ERROR_MS and known.mono_ns - self._believed_since_ns < SETTLE_NS:
            return None
        return TimeReference(self._boot_id, known.mono_ns, known.utc_ns, known.error_ms, known.source)
