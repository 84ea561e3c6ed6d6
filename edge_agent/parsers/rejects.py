"""The ledger of what was not understood: a count and one sampled line a reason.

Reasons are a closed set (``REASONS``), so that they can be metric labels. Nothing is dropped without an entry here.
"""

from collections import Counter

REASONS: dict[str, str] = {
    "garbage": "bytes outside any sentence",
    "cut_sentence": "a new sentence begins before this one has ended",
    "too_long": "line or sentence over the cap",
    "checksum_missing": "no *hh at the end",
    "checksum": "checksum does not match",
    "tag_checksum": "checksum of the TAG block does not match; the sentence is used only in a lenient dialect",
    "wrapper_unpaired": "a $PGHP wrapper whose checksum is not that of the message behind it; its time is not used",
    "bad_character": "not printable ASCII",
    "bad_address": "address field is not letters and digits",
    "bad_field": "a field is missing or not what the sentence type says",
    "out_of_range": "value is impossible for its quantity",
    "invalid_status": "the sensor itself says that the value is not valid",
    "no_value": "the sentence carries no value",
    "vdm_extra_field": "a VDM or VDO with more fields than the standard gives it",
    "fragment_incomplete": "part of an AIS message that never became complete",
    "fragment_ambiguous": "part that two messages could claim; none of them is made",
    "fragment_duplicate": "a part that was already received",
    "fragment_evicted": "too many parts wait at a time; the oldest that are no message yet are dropped",
    "ais_too_long": "AIS message over the longest that M.1371 can send",
    "ais_bad_payload": "AIS payload holds a character outside its alphabet, or an impossible number of fill bits",
    "ais_undecodable": "not a message of types 1 to 28, or cut before its sender's MMSI",
}
"""Every reason, with its meaning for a person."""

MAX_SAMPLE_CHARS = 240
"""A sample is for a person to look at: three terminal lines."""


class RejectLedger:
    """Counts by reason; keeps the newest line of each reason, cut to ``MAX_SAMPLE_CHARS``."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.samples: dict[str, str] = {}

    def add(self, reason: str, line: bytes | str) -> None:
        """Count one discard.

        Args:
            reason: a key of ``REASONS``.
            line: what was discarded.

        Raises:
            KeyError: the reason is not one of ``REASONS`` (a bug).
        """
        if reason not in REASONS:
            raise KeyError(reason)
        self.counts[reason] += 1
        text = line if isinstance(line, str) else line[:MAX_SAMPLE_CHARS].decode("ascii", "backslashreplace")
        self.samples[reason] = text[:MAX_SAMPLE_CHARS]
