"""``$PGHP`` of GateHouse networks: time and base station of the AIS message behind it.

A wrapper belongs to the next message: its last field is the checksum of that message's sentence, or of all its
sentences together (exclusive or); before a VDO it is 00. One whose checksum is another's says nothing about the
message, and is counted.

*Source:* GateHouse proprietary sentence ``$PGHP,1,year,…,ms,country,region,station,data,checksum``; the pairing was
found in the Danish national recording and holds for all of its 4,051 messages.
"""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from contracts.errors import PeerError
from edge_agent.parsers.fields import refuse
from edge_agent.parsers.nmea_frame import Sentence
from edge_agent.parsers.rejects import RejectLedger
from edge_agent.parsers.tag_block import EARLIEST_S, HEX, LATEST_S, TagBlock

ADDRESS = b"PGHP"

_FIELDS = 14
_KIND = b"1"
_MAX_DIGITS = 4
_PARTS = slice(1, 5)
_HEX_OF_TEXT = {digits.decode("ascii"): value for digits, value in HEX.items()}


class Wrapper(msgspec.Struct, frozen=True, gc=False):
    """Time and base station of a message, and the checksum by which it is known."""

    tag: TagBlock
    checksum: int
    raw: str


def parse_wrapper(sentence: Sentence) -> Wrapper:
    """Read one wrapper.

    Raises:
        PeerError: reason ``bad_field``.
    """
    fields = sentence.fields
    if len(fields) != _FIELDS or fields[1] != _KIND or fields[13] not in HEX:
        raise refuse(fields, "not the fields of a wrapper of kind 1", "bad_field")
    ms = fields[8]
    try:
        at_s = _second(*fields[2:8])
        ms_value = int(ms) if ms.isdigit() and len(ms) <= _MAX_DIGITS else None
    except ValueError as exc:
        raise PeerError("read wrapper", sentence.raw[:120], str(exc), "", "bad_field") from exc
    if ms_value is None:
        raise refuse(fields, "milliseconds are no number", "bad_field")
    time_ns = at_s * 1_000_000_000 + ms_value % 1000 * 1_000_000 if EARLIEST_S <= at_s < LATEST_S else None
    tag = TagBlock(_source(*fields[9:12]), None, time_ns, time_ns is not None)
    return Wrapper(tag, HEX[fields[13]], sentence.raw)


@lru_cache(maxsize=64)
def _second(*numbers: bytes) -> int:
    """Return the second since 1970 of year, month, day, hour, minute and second.

    Messages of a network lie within seconds of each other: one calendar a second, not one a message.

    Raises:
        ValueError: they are no time.
    """
    if not all(number.isdigit() and len(number) <= _MAX_DIGITS for number in numbers):
        raise ValueError("time is not numbers")
    year, month, day, hour, minute, second = (int(number) for number in numbers)
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


@lru_cache(maxsize=1024)
def _source(country: bytes, region: bytes, station: bytes) -> str | None:
    # some stations have no number of their own: country and region tell them apart
    return (station or b"-".join(part for part in (country, region) if part)).decode("ascii") or None


class WrapperPairing:
    """Gives the sentences of one stream what the wrapper before them says.

    Args:
        ledger: counts wrappers that belong to no message.

    Attributes:
        paired: wrappers that were found to be of the message behind them.
    """

    def __init__(self, ledger: RejectLedger) -> None:
        self._ledger = ledger
        self._waiting: Wrapper | None = None
        self._parts: tuple[list[bytes], int] | None = None
        self._left = 0
        self.paired = 0

    def take(self, wrapper: Wrapper) -> None:
        """Hold a wrapper for the message behind it."""
        self.close()
        self._waiting = wrapper
        self._left = wrapper.checksum

    def pair(self, sentence: Sentence) -> Sentence:
        """Return a VDM or VDO with what its wrapper says, if it has one and no TAG block of its own."""
        wrapper = self._waiting
        if wrapper is None:
            return sentence
        fields = sentence.fields
        given = _HEX_OF_TEXT[sentence.raw[(star := sentence.raw.rfind("*")) + 1 : star + 3]]
        if self._parts is None and len(fields) > 1 and fields[1] == b"1":
            return self._pair_whole(sentence, wrapper, given)
        is_part = len(fields) > _PARTS.stop and fields[1] != b"1"
        number = int(fields[2]) if is_part and fields[2].isdigit() else 1
        group = [fields[0], *fields[1:2], *fields[3:5]] if is_part else []
        if number != (1 if self._parts is None else self._parts[1] + 1) or (
            self._parts is not None and self._parts[0] != group
        ):
            self.close()
            return sentence
        self._left ^= given
        if is_part and fields[2] != fields[1]:
            self._parts = (group, number)
        elif self._left == 0 or (wrapper.checksum == 0 and fields[0].endswith(b"VDO")):
            self.paired += 1
            self._waiting = self._parts = None
        else:
            self.close()
            return sentence
        return sentence if sentence.tag is not None else Sentence(fields, sentence.raw, wrapper.tag)

    def _pair_whole(self, sentence: Sentence, wrapper: Wrapper, given: int) -> Sentence:
        """The same for a message of one sentence, nine of ten."""
        if wrapper.checksum != given and not (wrapper.checksum == 0 and sentence.fields[0].endswith(b"VDO")):
            self.close()
            return sentence
        self.paired += 1
        self._waiting = None
        return sentence if sentence.tag is not None else Sentence(sentence.fields, sentence.raw, wrapper.tag)

    def close(self) -> None:
        """Count a wrapper whose message did not come, or was another."""
        if self._waiting is not None:
            self._ledger.add("wrapper_unpaired", self._waiting.raw)
        self._waiting = self._parts = None
