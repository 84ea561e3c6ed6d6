"""What other decoders say of the same AIS messages, compared with ours field by field.

A peer's raw number is turned into the value that it stands for by tests/support/ais_standard.py, "not available" to
null; then it must be ours. Messages are paired by type and MMSI in their order, so that one that only one side has
shifts nothing else.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from pyais import messages as pyais

from contracts.payloads import Ais
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from tests.support.ais_standard import COARSE, KINDS, VALUES, Slot, anything, expected, found, name_of, slots

Read = Callable[[Any], object]
Key = tuple[int, int]
Peer = dict[str, Any]
Fields = Callable[[Peer], dict[str, Any]]

PERSONS: dict[str, Read] = {
    name: lambda raw, last=last: raw if raw <= last else None  # type: ignore[misc]
    for name, last in (("crew", 254), ("passengers", 8190), ("yet", 254))
}
CUT = "cut"
"""Key under which a peer's fields tell of which numbers it had only some bits."""

_BINARY_TYPES = (6, 8)
_SKIPPED = {"class", "device", "type", "mmsi", "scaled", "reserved", "regional"}
_RENAMED = {"personnel": "yet", "portname": "port_name", "stationtype": "station_type"}
_SHIP_TYPES = {5, 19, 23, 24}
_TIMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "eta": (r"(\d+)-(\d+)T(\d+):(\d+)Z", ("month", "day", "hour", "minute")),
    "arrival": (r"(\d+)-(\d+)T(\d+):(\d+)Z", ("month", "day", "hour", "minute")),
}
_FULL_TIME = (r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z", ("year", "month", "day", "hour", "minute", "second"))
_DAY_TIME = (r"(\d+)T(\d+):(\d+)Z", ("day", "hour", "minute"))


class Difference(NamedTuple):
    """One field, or one message (``field`` "only ours", "only theirs"), of which both sides say something else."""

    label: str
    field: str
    ours: object
    theirs: object
    ais: Ais | None
    peer: dict[str, Any]


@dataclass
class Comparison:
    """Result: how many messages and fields were compared, and what differs."""

    messages: int = 0
    fields: int = 0
    differences: list[Difference] = field(default_factory=list)


def ours(data: bytes, *, is_lenient: bool = False) -> list[Ais]:
    """Return what our decoder makes of a recording."""
    decoder = NmeaDecoder(is_lenient=is_lenient)
    decoded = [*decoder.feed(data, 0), *decoder.close(0)]
    return [item.payload for item in decoded if isinstance(item.payload, Ais)]


def label_of(ais: Ais) -> str:
    """Return the key of ``KINDS`` for a message, or of nothing that is there."""
    kind, other = ais.msg_type, ais.other
    if kind in _BINARY_TYPES:
        return f"{other.get('dac')}/{other.get('fid')}" if "data" not in other else str(kind)
    if kind == 24:
        craft = " craft" if "mothership_mmsi" in other else ""
        return f"24 {'B' if other['partno'] else 'A'}{craft}"
    if kind in (22, 25, 26):
        names = {22: ("area", "stations"), 25: ("to all", "to one"), 26: ("to all", "to one")}
        return f"{kind} {names[kind][bool(other['addressed'])]}"
    return {2: "1", 3: "1", 13: "7"}.get(kind, str(kind))


@cache
def readers(label: str) -> dict[str, Read]:
    """Return how the raw number of each field becomes the value that ours must be."""
    if label == "200/55":
        return PERSONS
    if label not in KINDS:
        return {}
    sample = KINDS[label]
    found_slots = {slot.name: slot for slot in slots(sample)}
    return {
        name: _reader(slot, sample.values.get(name) or VALUES.get(name, anything), label)
        for name, slot in found_slots.items()
        if not name.startswith(("spare", "empty")) and slot.kind not in (pyais.STR, pyais.BYTES)
    }


def _reader(slot: Slot, is_value: Callable[[int], bool], label: str) -> Read:
    is_signed = slot.is_signed or (label == "17" and slot.name in COARSE)
    mask = (1 << slot.width) - 1
    return lambda raw: expected(slot, int(raw) & mask, is_value, is_signed=is_signed)


def compare(ais: Ais, peer: dict[str, Any], result: Comparison) -> None:
    """Compare one message with a peer's raw fields (numbers as sent, text, data as hexadecimal)."""
    label = label_of(ais)
    known = readers(label)
    result.messages += 1
    for name, raw in peer.items():
        if name == CUT:
            continue
        ours_name = name_of(label, name)
        if ours_name not in Ais.__struct_fields__ and ours_name not in ais.other:
            result.differences.append(Difference(label, name, "not there", raw, ais, peer))
            continue
        value = (raw or None) if isinstance(raw, str) else known[name](raw) if name in known else raw
        got = found(ais, ours_name)
        result.fields += 1
        if got != value:
            result.differences.append(Difference(label, name, got, raw, ais, peer))


def pair(
    mine: Iterable[Ais], theirs: Iterable[Peer], fields: Fields, is_known: Callable[[Difference], bool]
) -> Comparison:
    """Compare messages of both sides that are the same; what only one side has is a difference too.

    Args:
        mine: ours, in order.
        theirs: the peer's, each with ``type`` and ``mmsi``.
        fields: makes raw fields of a peer's message.
        is_known: tells a difference that has a name; among several messages of one sender it does not count.
    """
    result = Comparison()
    queues: defaultdict[Key, list[Ais]] = defaultdict(list)
    for ais in mine:
        queues[ais.msg_type, ais.mmsi].append(ais)
    for message in theirs:
        free = queues[message["type"], message["mmsi"]]
        best: Comparison | None = None
        chosen, fewest = None, 0
        for ais in free:
            trial = Comparison()
            compare(ais, fields(message), trial)
            strange = sum(not is_known(item) for item in trial.differences)
            if best is None or strange < fewest:
                best, chosen, fewest = trial, ais, strange
            if not fewest:
                break
        if best is None or chosen is None:
            result.differences.append(Difference(str(message["type"]), "only theirs", None, None, None, message))
            continue
        free.remove(chosen)
        result.messages += 1
        result.fields += best.fields
        result.differences += best.differences
    for free in queues.values():
        result.differences += [Difference(label_of(ais), "only ours", None, None, ais, {}) for ais in free]
    return result


def gpsd_messages(text: str) -> list[dict[str, Any]]:
    """Return gpsd's AIS objects among lines of its output."""
    lines = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
    return [line for line in lines if line["class"] == "AIS"]


def gpsd_fields(message: dict[str, Any]) -> dict[str, Any]:
    """Return the raw fields of one of gpsd's objects by pyais's names."""
    kind = message["type"]
    fields: dict[str, Any] = {}
    for key, raw in message.items():
        if key in _SKIPPED or key.endswith("_text"):
            continue
        times = _TIMES.get(key)
        if key == "timestamp":
            times = _FULL_TIME if kind in (4, 11) else _DAY_TIME
        if times is not None:
            read = re.fullmatch(times[0], raw)
            assert read is not None, message
            fields |= {name: int(part) for name, part in zip(times[1], read.groups(), strict=True)}
        elif key == "data" and isinstance(raw, str):
            fields["data"] = raw.partition(":")[2]
        else:
            name = "ship_type" if key == "shiptype" and kind in _SHIP_TYPES else _RENAMED.get(key, key)
            fields[name] = raw
    return fields
