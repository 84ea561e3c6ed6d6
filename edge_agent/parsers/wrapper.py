"""``$PGHP`` of GateHouse networks: time and base station of the AIS message behind it.

A wrapper belongs to the next message: its last field is the checksum of that message's sentence, or of all its
sentences together (exclusive or); before a VDO it is 00. One whose checksum is another's says nothing about the
message, and is counted.

*Source:* GateHouse proprietary sentence ``$PGHP,1,year,…,ms,country,region,station,data,checksum``; the pairing was
found in the Danish national recording and holds for all of its 4,051 messages.
"""

from datetime import UTC, datetime

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
    if not all(field.isdigit() and len(field) <= _MAX_DIGITS for field in fields[2:9]):
        raise refuse(fields, "time is not numbers", "bad_field")
    year, month, day, hour, minute, second, ms = (int(field) for field in fields[2:9])
    try:
        at_s = int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError as exc:
        raise PeerError("read wrapper", sentence.raw[:120], str(exc), "", "bad_field") from exc
    time_ns = at_s * 1_000_000_000 + ms % 1000 * 1_000_000 if EARLIEST_S <= at_s < LATEST_S else None
    country, region, station = (field.decode("ascii") for field in fields[9:12])
    # some stations have no number of their own: country and region tell them apart
    source = station or "-".join(part for part in (country, region) if part) or None
    return Wrapper(
        TagBlock(source=source, time_ns=time_ns, is_exact=time_ns is not None), HEX[fields[13]], sentence.raw
    )


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
        is_part = len(fields) > _PARTS.stop and fields[1] != b"1"
        number = int(fields[2]) if is_part and fields[2].isdigit() else 1
        group = [fields[0], *fields[1:2], *fields[3:5]] if is_part else []
        if number != (1 if self._parts is None else self._parts[1] + 1) or (
            self._parts is not None and self._parts[0] != group
        ):
            self.close()
            return sentence
        self._left ^= HEX[sentence.raw[sentence.raw.rfind("*") + 1 :][:2].encode("ascii")]
        if is_part and fields[2] != fields[1]:
            self._parts = (group, number)
        elif self._left == 0 or (wrapper.checksum == 0 and fields[0].endswith(b"VDO")):
            self.paired += 1
            self._waiting = self._parts = None
        else:
            self.close()
            return sentence
        return sentence if sentence.tag is not None else Sentence(fields, sentence.raw, wrapper.tag)

    def close(self) -> None:
        """Count a wrapper whose message did not come, or was another."""
        if self._waiting is not None:
            self._ledger.add("wrapper_unpaired", self._waiting.raw)
        self._waiting = self._parts = None
