"""Parts of multi-sentence AIS messages → whole messages. A policy: it is told the time and never waits.

A part belongs to a message by talker, VDM or VDO, channel, sequence id, number of parts and, where the line has a TAG
block, its group or source. Parts may come in any order within the window. Two ships are never joined knowingly: a part
that differs from one already held under its key drops what was held; a part of a message that was just completed joins
only a repetition of that message; what waits while ``MAX_LATER_STARTS`` other messages begin is given up, because the
sequence ids are then on their way round.

*Source:* IEC 61162-1:2016 clause 8.3.85 (VDM); the defects of four other decoders are in docs/adr/0010.
"""

from dataclasses import dataclass

import msgspec

from edge_agent.parsers.nmea_frame import Sentence
from edge_agent.parsers.rejects import RejectLedger

MAX_PENDING = 256
"""Incomplete messages at a time: 10 sequence ids, 2 channels, VDM and VDO, for six receivers on one line."""

MAX_PAYLOAD_CHARS = 200
"""A message of five slots has 1,064 bits, 178 characters (M.1371-5 annex 2, 3.2.2.11)."""

MAX_LATER_STARTS = 3
"""Messages that may begin while one waits, of ten sequence ids. Receivers write the parts of a message one after the
other, and a busy one comes to the same id again in half a second (measured: docs/adr/0010)."""

MAX_LATER_STARTS_HEADLESS = 1
"""The same while part 1 has not come. Swapped parts arrive together; a lost part 1 leaves a tail that fits any ship."""

_FIELDS = 7
_CHANNELS = {b"A": "A", b"B": "B", b"1": "A", b"2": "B"}
_COUNTS = {b"%d" % value: value for value in range(1, 10)}
_FILL_BITS = {b"%d" % value: value for value in range(6)}

Stream = tuple[bytes, str | None]
Key = tuple[Stream, bytes, bytes, bytes]


class AisMessage(msgspec.Struct, frozen=True, gc=False):
    """One whole message: payload in its six-bit armour, and what its sentences say about its reception."""

    payload: bytes
    fill_bits: int
    talker: str
    is_own: bool
    channel: str | None
    raw: str


@dataclass(slots=True)
class _Pending:
    begun_ns: int
    parts: dict[int, Sentence]
    started_no: int
    is_echo: bool
    """Every part so far is one of the message that was completed last under the key."""


@dataclass(slots=True)
class _Done:
    at_ns: int
    payloads: list[bytes]


class AisAssembler:
    """Joins parts.

    Args:
        ledger: where what is discarded is counted.
        window_s: how long a part waits for the others, s.
    """

    def __init__(self, ledger: RejectLedger, *, window_s: float = 2.0) -> None:
        self._ledger = ledger
        self._window_ns = int(window_s * 1e9)
        self._pending: dict[Key, _Pending] = {}
        self._done: dict[Key, _Done] = {}
        self._starts: dict[Stream, int] = {}

    @property
    def pending(self) -> int:
        """Messages of which only some parts have come."""
        return len(self._pending)

    def add(self, sentence: Sentence, now_ns: int) -> AisMessage | None:
        """Take one VDM or VDO sentence; return the message that it completes.

        Args:
            sentence: a sentence whose address ends in VDM or VDO.
            now_ns: monotonic time, ns, never falling.
        """
        fields = sentence.fields
        count = _COUNTS.get(fields[1]) if len(fields) >= _FIELDS else None
        number = _COUNTS.get(fields[2]) if count is not None else None
        if count is None or number is None or number > count:
            self._ledger.add("bad_field", sentence.raw)
            return None
        if count == 1:
            return self._whole([sentence])
        return self._add_part(sentence, number, count, now_ns)

    def expire(self, now_ns: int) -> None:
        """Drop and count what has waited longer than the window."""
        oldest_ns = now_ns - self._window_ns
        while self._pending:
            key, pending = next(iter(self._pending.items()))
            if pending.begun_ns > oldest_ns:
                break
            self._drop(key, "fragment_duplicate" if pending.is_echo else "fragment_incomplete")
        while self._done:
            key, done = next(iter(self._done.items()))
            if done.at_ns > oldest_ns:
                break
            del self._done[key]

    def close(self) -> None:
        """Count everything that is incomplete: the input has ended."""
        while self._pending:
            key, pending = next(iter(self._pending.items()))
            self._drop(key, "fragment_duplicate" if pending.is_echo else "fragment_incomplete")

    def _add_part(self, sentence: Sentence, number: int, count: int, now_ns: int) -> AisMessage | None:
        self.expire(now_ns)
        fields, tag = sentence.fields, sentence.tag
        key = ((fields[0], (tag.group or tag.source) if tag else None), fields[1], fields[3], fields[4])
        done = self._done.get(key)
        is_echo = done is not None and done.payloads[number - 1] == fields[5]
        if not self._fits(key, sentence, number, is_echo=is_echo):
            return None
        pending = self._pending.get(key)
        if pending is None:
            pending = self._begin(key, now_ns, is_echo=is_echo)
        pending.parts[number] = sentence
        if len(pending.parts) < count:
            return None
        del self._pending[key]
        parts = [pending.parts[index] for index in range(1, count + 1)]
        self._remember(key, [part.fields[5] for part in parts], now_ns)
        return self._whole(parts)

    def _fits(self, key: Key, sentence: Sentence, number: int, *, is_echo: bool) -> bool:
        """Drop what the part shows to be of another message; tell whether the part is to be kept."""
        pending = self._pending.get(key)
        if pending is None:
            return True
        allowed = MAX_LATER_STARTS if 1 in pending.parts else MAX_LATER_STARTS_HEADLESS
        if self._starts.get(key[0], 0) - pending.started_no > allowed:
            self._drop(key, "fragment_duplicate" if pending.is_echo else "fragment_incomplete")
        elif pending.is_echo and not is_echo:
            self._drop(key, "fragment_duplicate")
        elif number in pending.parts:
            if pending.parts[number].fields[5] != sentence.fields[5]:
                self._drop(key, "fragment_conflict")
            else:
                self._ledger.add("fragment_duplicate", sentence.raw)
                if len(pending.parts) > 1:
                    return False
                # it is all there is: its wait begins anew
                del self._pending[key]
        return True

    def _begin(self, key: Key, now_ns: int, *, is_echo: bool) -> _Pending:
        if len(self._pending) >= MAX_PENDING:
            self._drop(next(iter(self._pending)), "fragment_evicted")
        started_no = self._starts.pop(key[0], 0) + 1
        if len(self._starts) >= MAX_PENDING:
            del self._starts[next(iter(self._starts))]
        self._starts[key[0]] = started_no
        pending = self._pending[key] = _Pending(now_ns, {}, started_no, is_echo)
        return pending

    def _remember(self, key: Key, payloads: list[bytes], now_ns: int) -> None:
        self._done.pop(key, None)
        if len(self._done) >= MAX_PENDING:
            del self._done[next(iter(self._done))]
        self._done[key] = _Done(now_ns, payloads)

    def _drop(self, key: Key, reason: str) -> None:
        parts = self._pending.pop(key).parts
        self._ledger.add(reason, "\n".join(part.raw for part in parts.values()))

    def _whole(self, parts: list[Sentence]) -> AisMessage | None:
        first, last = parts[0], parts[-1]
        fill_bits = _FILL_BITS.get(last.fields[6])
        if len(parts) == 1:
            payload, raw = first.fields[5], first.raw
        else:
            payload = b"".join(part.fields[5] for part in parts)
            raw = "\n".join(part.raw for part in parts)
        if fill_bits is None:
            self._ledger.add("ais_bad_payload", raw)
            return None
        if len(payload) > MAX_PAYLOAD_CHARS:
            self._ledger.add("ais_too_long", raw)
            return None
        address = first.fields[0]
        return AisMessage(
            payload=payload,
            fill_bits=fill_bits,
            talker=address[:-3].decode("ascii"),
            is_own=address.endswith(b"VDO"),
            channel=_CHANNELS.get(first.fields[4]),
            raw=raw,
        )
