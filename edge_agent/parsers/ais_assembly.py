"""Parts of multi-sentence AIS messages → whole messages. A policy: it is told the time and never waits.

A part belongs to a message by receiver (TAG block ``s`` or wrapper), talker, VDM or VDO, channel, sequence id and
number of parts. The parts of one key wait until no other can come: a short window after the newest, for a receiver
writes the parts of a message back to back. Then ``fragment_matching`` says which messages they are for certain;
everything else is counted. Two ships are never joined by a guess.

*Source:* IEC 61162-1:2016 clause 8.3.85 (VDM); the window and the defects of other decoders: docs/adr/0070.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from edge_agent.parsers.fragment_matching import Part, gap_ns, match_parts
from edge_agent.parsers.nmea_frame import Sentence
from edge_agent.parsers.receiver_mix import ReceiverMix
from edge_agent.parsers.rejects import RejectLedger

DEFAULT_WINDOW_S = 0.1
"""Longest time between two parts: a receiver writes them 30 ± 20 ms apart (docs/adr/0070)."""

LATE_S = 1.0
"""Longest wait for a part whose receiver says when it heard it: a line may stall while the times stay near."""

MAX_PARTS = 2048
"""Parts that wait at a time: a second of a replay at 20 times the pace of a national feed has 700."""

MAX_RUN_PARTS = 32
"""Parts of one key looked at together; a receiver makes two or three, four merged ones six."""

MAX_GROUPS = 256
"""Groups of TAG blocks whose source is remembered, for parts that do not repeat it."""

MAX_PAYLOAD_CHARS = 200
"""A message of five slots has 1,064 bits, 178 characters (M.1371-5 annex 2, 3.2.2.11)."""

_FIELDS = 7
_CHANNELS = {b"A": "A", b"B": "B", b"1": "A", b"2": "B"}
_COUNTS = {b"%d" % value: value for value in range(1, 10)}
_FILL_BITS = {b"%d" % value: value for value in range(6)}
_NEVER = 1 << 62

Key = tuple[bytes, str | None, bytes, bytes, bytes]


class AisMessage(msgspec.Struct, frozen=True, gc=False):
    """One whole message: payload in its six-bit armour, and what its sentences say about its reception.

    Attributes:
        payload: armoured payload, all parts joined.
        fill_bits: bits at its end that are none of the message, 0 to 5.
        talker: talker id of the receiver.
        is_own: VDO, the receiver's own transponder.
        channel: VHF channel "A" or "B".
        raw: its sentences, joined by line feeds.
        receiver: station that heard it, as it names itself.
        heard_ns: when that station heard it, UTC ns since 1970.
        arrived_ns: monotonic time at which its last part arrived, ns.
    """

    payload: bytes
    fill_bits: int
    talker: str
    is_own: bool
    channel: str | None
    raw: str
    receiver: str | None = None
    heard_ns: int | None = None
    arrived_ns: int = 0


@dataclass(slots=True)
class _Run:
    """Parts of one key, none further from the one before than the window."""

    count: int
    due_ns: int = _NEVER
    parts: list[Part] = field(default_factory=list)


class AisAssembler:
    """Joins parts.

    Args:
        ledger: where what is discarded is counted.
        window_s: longest time between two parts of one message, s.
    """

    def __init__(self, ledger: RejectLedger, *, window_s: float = DEFAULT_WINDOW_S) -> None:
        self._ledger = ledger
        self._window_ns = int(window_s * 1e9)
        self._late_ns = max(self._window_ns, int(LATE_S * 1e9))
        self._runs: dict[Key, _Run] = {}
        self._groups: dict[str, tuple[str | None, int]] = {}
        self._mix = ReceiverMix(self._window_ns)
        self._ready: list[AisMessage] = []
        self._due_ns = _NEVER
        self.pending = 0

    @property
    def due_ns(self) -> int | None:
        """Monotonic time from which ``take`` may give something, None if nothing waits."""
        return None if self._due_ns == _NEVER else self._due_ns

    def add(self, sentence: Sentence, now_ns: int) -> AisMessage | None:
        """Take one VDM or VDO sentence; return the message that it is, if it is one of one sentence.

        Args:
            sentence: a sentence whose address ends in VDM or VDO.
            now_ns: monotonic time, ns, never falling.
        """
        fields = sentence.fields
        count = _COUNTS.get(fields[1]) if len(fields) == _FIELDS else None
        number = _COUNTS.get(fields[2]) if count is not None else None
        if count is None or number is None or number > count:
            self._ledger.add("vdm_extra_field" if len(fields) > _FIELDS else "bad_field", sentence.raw)
            return None
        if count == 1:
            return self._whole([sentence], now_ns)
        self._add_part(sentence, number, count, now_ns)
        return None

    def take(self, now_ns: int) -> list[AisMessage]:
        """Return the messages of several parts that are certain by now, and count what waited in vain."""
        if now_ns > self._due_ns:
            for key in [key for key, run in self._runs.items() if now_ns > run.due_ns]:
                self._end_run(key)
            self._due_ns = min((run.due_ns for run in self._runs.values()), default=_NEVER)
        if not self._ready:
            return []
        ready, self._ready = self._ready, []
        return ready

    def close(self) -> list[AisMessage]:
        """Return what is complete and count everything that is not: the input has ended."""
        self._groups.clear()
        return self.take(_NEVER)

    def _add_part(self, sentence: Sentence, number: int, count: int, now_ns: int) -> None:
        part, source = self._part(sentence, number, now_ns)
        fields = sentence.fields
        key = (fields[0], source, fields[1], fields[3], fields[4])
        run = self._runs.get(key)
        if run is not None:
            is_full = len(run.parts) >= MAX_RUN_PARTS or (number == 1 and len(run.parts) >= MAX_RUN_PARTS // 2)
            if is_full or gap_ns(run.parts[-1], part) > self._window_ns:
                self._end_run(key)
                run = None
        if run is None:
            if self.pending >= MAX_PARTS:
                self._end_run(next(iter(self._runs)), "fragment_evicted")
            run = self._runs[key] = _Run(count)
        run.parts.append(part)
        run.due_ns = now_ns + (self._late_ns if part.is_exact else self._window_ns)
        self._due_ns = min(self._due_ns, run.due_ns)
        self.pending += 1

    def _part(self, sentence: Sentence, number: int, now_ns: int) -> tuple[Part, str | None]:
        tag = sentence.tag
        if tag is None:
            return Part(sentence, number, now_ns), None
        station = tag.source if tag.is_suffix else None
        source = None if tag.is_suffix else tag.source
        if tag.group is not None:
            source = self._source_of_group(tag.group, source, now_ns)
        part = Part(sentence, number, now_ns, tag.time_ns, tag.is_exact and tag.time_ns is not None, station, tag.group)
        return part, source

    def _source_of_group(self, group: str, source: str | None, now_ns: int) -> str | None:
        """The source of a part; of one that does not repeat it, the only source that named its group of late."""
        known = self._groups.get(group)
        is_known = known is not None and now_ns - known[1] <= self._late_ns
        if source is None:
            return known[0] if known is not None and is_known else None
        # two sources with one group id: a part that names none of them is of neither
        named = None if known is not None and is_known and known[0] != source else source
        self._groups.pop(group, None)
        if len(self._groups) >= MAX_GROUPS:
            del self._groups[next(iter(self._groups))]
        self._groups[group] = (named, now_ns)
        return source

    def _end_run(self, key: Key, reason: str | None = None) -> None:
        run = self._runs.pop(key)
        self.pending -= len(run.parts)
        stream = key[:2]
        heads = {part.payload for part in run.parts if part.number == 1}
        if len(heads) > 1:
            self._mix.saw_two(stream, run.parts[-1].arrived_ns)
        is_mixed = self._mix.is_mixed(stream, run.parts[-1].arrived_ns)
        habit = self._mix.habit(stream) if is_mixed else None
        matching = match_parts(run.parts, run.count, self._window_ns, habit)
        for own_reason, part in matching.discarded:
            self._ledger.add(reason or own_reason, part.sentence.raw)
        for parts in matching.messages:
            self._mix.saw_whole(stream, [gap_ns(one, other) for one, other in pairwise(parts)])
            message = self._whole([part.sentence for part in parts], max(part.arrived_ns for part in parts))
            if message is not None:
                self._ready.append(message)

    def _whole(self, sentences: list[Sentence], arrived_ns: int) -> AisMessage | None:
        first = sentences[0]
        fill_bits = _FILL_BITS.get(sentences[-1].fields[6])
        if len(sentences) == 1:
            payload, raw, tag = first.fields[5], first.raw, first.tag
        else:
            payload = b"".join(sentence.fields[5] for sentence in sentences)
            raw = "\n".join(sentence.raw for sentence in sentences)
            tag = next((sentence.tag for sentence in sentences if sentence.tag is not None), None)
        if fill_bits is None:
            self._ledger.add("ais_bad_payload", raw)
            return None
        if len(payload) > MAX_PAYLOAD_CHARS:
            self._ledger.add("ais_too_long", raw)
            return None
        address = first.fields[0]
        return AisMessage(
            payload,
            fill_bits,
            address[:-3].decode("ascii"),
            address.endswith(b"VDO"),
            _CHANNELS.get(first.fields[4]),
            raw,
            tag.source if tag is not None else None,
            tag.time_ns if tag is not None else None,
            arrived_ns,
        )
