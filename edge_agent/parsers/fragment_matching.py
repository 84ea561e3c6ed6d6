"""Which parts belong to one message: an explanation of all of them is used if it is the only one.

The parts of one key are looked at together once no other can come. A receiver writes the parts of a message in order,
so parts are joined in order first; what is left over may have been swapped by a network. Two parts are of one message
only if they are no further apart than the window. Where a set of parts can be explained in two ways, or holds
everything that a message needs and something more, none of it is used: it is ambiguous.

*Source:* measurements in docs/adr/0070.
"""

from dataclasses import dataclass
from typing import NamedTuple

from edge_agent.parsers.nmea_frame import Sentence

MAX_STEPS = 2000
"""Attempts to explain one set of parts; sets of a real receiver take two a part. Beyond it the set is ambiguous."""

_PAYLOAD = 5
_NEVER = 1 << 62
_SECOND_NS = 1_000_000_000


class Gap(NamedTuple):
    """Shortest and longest time between one part of a message and the next, ns."""

    least_ns: int
    most_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One sentence of a message of several.

    Attributes:
        sentence: the sentence.
        number: its place in the message, from 1.
        arrived_ns: monotonic time of its arrival, ns.
        heard_ns: UTC ns when its receiver heard it, if the receiver says so.
        is_exact: ``heard_ns`` is in milliseconds, not in whole seconds.
        station: its receiver, where only some parts of a message name one.
        group: its group in a TAG block.
    """

    sentence: Sentence
    number: int
    arrived_ns: int
    heard_ns: int | None = None
    is_exact: bool = False
    station: str | None = None
    group: str | None = None

    @property
    def payload(self) -> bytes:
        """Its share of the message."""
        return self.sentence.fields[_PAYLOAD]


@dataclass(frozen=True, slots=True)
class Matching:
    """What parts were found to be: whole messages in order of their last part, and (reason, part) of the others."""

    messages: list[list[Part]]
    discarded: list[tuple[str, Part]]


def gap_ns(one: Part, other: Part) -> int:
    """Return how far apart two parts are, ns: by the receiver's own time where both have it, else by arrival."""
    if one.heard_ns is not None and other.heard_ns is not None:
        apart_ns = abs(one.heard_ns - other.heard_ns)
        if one.is_exact and other.is_exact:
            return apart_ns
        if apart_ns > _SECOND_NS:
            return _NEVER
    return abs(other.arrived_ns - one.arrived_ns)


def match_parts(parts: list[Part], count: int, window_ns: int, habit: Gap | None = None) -> Matching:
    """Return the messages that ``parts`` are for certain.

    Args:
        parts: parts of one key, in order of arrival.
        count: parts of a message, 2 to 9.
        window_ns: longest time between one part and the next, ns.
        habit: of a stream that several receivers write: gaps that it has shown. Others are not believed there, nor are
            swapped parts; but what a habit rules out still has to be explained by something else.
    """
    messages: list[list[Part]] = []
    discarded: list[tuple[str, Part]] = []
    rest: list[Part] = []
    window = Gap(0, window_ns)
    for linked in _linked(parts, window, in_order=True):
        found = _explain(linked, count, habit or window, discarded)
        if found is not None:
            messages += found
        elif len({part.number for part in linked}) == count:
            discarded += [("fragment_ambiguous", part) for part in linked]
        else:
            rest += linked
    rest.sort(key=parts.index)
    for linked in _linked(rest, window, in_order=False) if habit is None else [rest]:
        swapped = _swapped(linked, count, discarded) if habit is None else None
        if swapped is not None:
            messages.append(swapped)
        else:
            is_whole = habit is None and len({part.number for part in linked}) == count
            discarded += [("fragment_ambiguous" if is_whole else "fragment_incomplete", part) for part in linked]
    messages.sort(key=lambda chain: max(parts.index(part) for part in chain))
    return Matching(messages, discarded)


def _fits(one: Part, other: Part, gap: Gap) -> bool:
    if one.group != other.group and one.group is not None and other.group is not None:
        return False
    if one.station != other.station and one.station is not None and other.station is not None:
        return False
    return gap.least_ns <= gap_ns(one, other) <= gap.most_ns


def _linked(parts: list[Part], gap: Gap, *, in_order: bool) -> list[list[Part]]:
    """Sets of parts that may have to do with each other, directly or through others; each in order of arrival."""
    label = list(range(len(parts)))
    for index, part in enumerate(parts):
        for earlier in range(index):
            other = parts[earlier]
            follows = part.number == other.number + 1 if in_order else part.number != other.number
            if follows and label[earlier] != label[index] and _fits(other, part, gap):
                old, new = label[index], label[earlier]
                label = [new if value == old else value for value in label]
    return [[part for part, own in zip(parts, label, strict=True) if own == value] for value in dict.fromkeys(label)]


def _explain(linked: list[Part], count: int, gap: Gap, discarded: list[tuple[str, Part]]) -> list[list[Part]] | None:
    """The one way in which all of ``linked`` are whole messages; repeated parts count once if they must."""
    if len(linked) < count:
        return None
    found = _Search(linked, count, gap).only()
    if found is not None:
        return found
    kept, repeated = _distinct(linked)
    if not repeated:
        return None
    found = _Search(kept, count, gap).only()
    if found is not None:
        discarded += [("fragment_duplicate", part) for part in repeated]
    return found


def _swapped(linked: list[Part], count: int, discarded: list[tuple[str, Part]]) -> list[Part] | None:
    kept, repeated = _distinct(linked)
    if len(kept) != count or len({part.number for part in kept}) != count:
        return None
    discarded += [("fragment_duplicate", part) for part in repeated]
    return sorted(kept, key=lambda part: part.number)


def _distinct(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    kept: dict[tuple[int, bytes], Part] = {}
    repeated = [part for part in parts if kept.setdefault((part.number, part.payload), part) is not part]
    return list(kept.values()), repeated


class _Search:
    """Looks for a second explanation of a set of parts; two that read the same are one."""

    def __init__(self, parts: list[Part], count: int, gap: Gap) -> None:
        self._parts = parts
        self._count = count
        self._gap = gap
        self._steps = 0
        self._found: dict[tuple[tuple[bytes, ...], ...], list[list[Part]]] = {}

    def only(self) -> list[list[Part]] | None:
        """Return the explanation if there is one and no other."""
        numbers = [part.number for part in self._parts]
        if len({numbers.count(number) for number in range(1, self._count + 1)}) != 1:
            return None
        self._extend(0, [])
        if len(self._found) != 1 or self._steps > MAX_STEPS:
            return None
        return next(iter(self._found.values()))

    def _extend(self, index: int, chains: list[list[Part]]) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS or len(self._found) > 1:
            return
        if index == len(self._parts):
            reading = tuple(sorted(tuple(part.payload for part in chain) for chain in chains))
            self._found.setdefault(reading, [list(chain) for chain in chains])
            return
        part = self._parts[index]
        if part.number == 1:
            self._extend(index + 1, [*chains, [part]])
            return
        for place, chain in enumerate(chains):
            if len(chain) == part.number - 1 and _fits(chain[-1], part, self._gap):
                self._extend(index + 1, [*chains[:place], [*chain, part], *chains[place + 1 :]])
