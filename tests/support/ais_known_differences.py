"""Where peers read AIS otherwise than we do, by name and reason. A difference that no rule explains is a fault.

Values that a peer gives for "not available" are no difference here: they are made null before the comparison.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from edge_agent.parsers.ais_applications import APPLICATIONS
from tests.support.ais_comparison import CUT, Difference

GPSD_TALKERS = frozenset({"BY", "SS", "--"})
"""Talkers of national networks that gpsd 3.22 does not know: it drops their sentences, so they are not compared."""


class Rule(NamedTuple):
    """One known difference: its name, which says why, and what it explains."""

    name: str
    explains: Callable[[Difference], bool]


def known_by(rules: tuple[Rule, ...]) -> Callable[[Difference], bool]:
    """Return what tells whether one of the rules explains a difference."""
    return lambda item: any(rule.explains(item) for rule in rules)


def sort_out(differences: Iterable[Difference], rules: tuple[Rule, ...]) -> tuple[Counter[str], list[Difference]]:
    """Return how many differences each rule explains, and those that none does."""
    explained: Counter[str] = Counter()
    unexplained: list[Difference] = []
    for item in differences:
        rule = next((rule for rule in rules if rule.explains(item)), None)
        if rule is None:
            unexplained.append(item)
        else:
            explained[rule.name] += 1
    return explained, unexplained


_LEADS = {
    "20": {f"{name}{number}": f"offset{number}" for name in ("number", "timeout", "increment") for number in "1234"},
    "15": {"offset1_1": "type1_1", "offset1_2": "type1_2", "type2_1": "mmsi2", "offset2_1": "mmsi2"},
    "16": {"offset2": "mmsi2", "increment2": "mmsi2"},
    "7": {f"mmsiseq{number}": f"mmsi{number}" for number in "1234"},
}
_OUTLINE = ("to_bow", "to_stern", "to_port", "to_starboard")
_OUTLINE_TYPES = {"5", "19", "21", "24 B"}


def _value(item: Difference, name: str) -> object:
    """The peer's raw value of another field of the same message."""
    return item.peer.get(name)


def _has_no_lead(item: Difference) -> bool:
    lead = _LEADS.get(item.label, {}).get(item.field)
    return lead is not None and item.ours is None and not _value(item, lead)


def _is_no_outline(item: Difference) -> bool:
    if item.field not in _OUTLINE or item.ours is not None or item.label not in _OUTLINE_TYPES:
        return False
    bow, stern, port, starboard = (_value(item, name) for name in _OUTLINE)
    pair = (bow, stern) if item.field in _OUTLINE[:2] else (port, starboard)
    return not any(pair) or (not bow and not port)


def _is_data_of_ours(item: Difference) -> bool:
    if item.ais is None or item.ais.msg_type not in (6, 8) or "data" not in item.ais.other:
        return False
    is_read = (item.ais.msg_type, item.ais.other["dac"], item.ais.other["fid"]) in APPLICATIONS
    return item.ours in ("not there", None) and (not is_read or item.ais.msg_type == 6)


_CUT_IN_RECORDINGS = (("7", "mmsi3"), ("1", "radio"), ("1/11", "ice"))


def _begins_alike(item: Difference) -> bool:
    """Whether the data are the same up to where one side ends."""
    size = min(len(str(item.ours)), len(str(item.theirs))) - 2
    return str(item.ours)[:size] == str(item.theirs)[:size]


COMMON = (
    Rule("a reservation, request or station that is zero is not there", _has_no_lead),
    Rule("outline of zeros: not available, or length and beam without a reference point", _is_no_outline),
    Rule(
        "off position counts only while the aid has a clock (M.1371 table 72)",
        lambda item: item.field == "off_position" and item.ours is None and _value(item, "second") in range(60, 64),
    ),
    Rule(
        "more than a visibility that is not available",
        lambda item: item.field == "visgreater" and item.ours is None and _value(item, "visibility") == 127,
    ),
    Rule("applications whose codes are not known here, or cut short, stay data", _is_data_of_ours),
)

GPSD = (
    *COMMON,
    Rule(
        "gpsd keeps spaces before a text",
        lambda item: isinstance(item.theirs, str) and item.theirs != item.ours and item.theirs.strip() == item.ours,
    ),
    Rule(
        "gpsd gives parts A and B of type 24 only together, and only within eight others",
        lambda item: item.label in ("24 A", "24 B") and item.field in ("only ours", "shipname"),
    ),
    Rule(
        "gpsd reads the vendor as seven characters, as before M.1371-4; model and serial lie in them",
        lambda item: item.field == "vendorid" and str(item.theirs).startswith(str(item.ours or "")),
    ),
    Rule(
        "gpsd gives 0 for an address or application that types 25 and 26 do not have",
        lambda item: item.label[:2] in ("25", "26") and item.field in ("dest_mmsi", "app_id") and item.theirs == 0,
    ),
    Rule(
        "gpsd 3.22 reads no communication state of type 26 and fills the last byte of its data with it",
        lambda item: item.label[:2] == "26" and (
            (item.field == "radio" and item.theirs == 0)
            or (item.field == "data" and str(item.theirs)[:-1] == str(item.ours)[:-1])
        ),
    ),
    Rule(
        "gpsd reads a number that the message ends inside of (7 of 128 bits, 1 of 163, 1/11 of 344)",
        lambda item: item.ours is None and (item.label, item.field) in _CUT_IN_RECORDINGS,
    ),
    Rule(
        "gpsd leaves the data of another message in 200/10",
        lambda item: (item.label, item.field, item.ours) == ("200/10", "data", "not there"),
    ),
)  # fmt: skip

PYAIS = (
    *COMMON,
    Rule(
        "pyais reads a number that the message ends inside of",
        lambda item: item.ours is None and item.field in item.peer.get(CUT, ()),
    ),
    Rule(
        "pyais reads text behind its first @, which ends it",
        lambda item: isinstance(item.theirs, str) and (item.theirs.partition("@")[0].strip() or None) == item.ours,
    ),
    Rule(
        "the extension of a name is part of it, and fill behind a name that has ended",
        lambda item: item.label == "21" and (
            item.field == "name_ext" or (item.field == "name" and str(item.ours).startswith(str(item.theirs)))
        ),
    ),
    Rule(
        "pyais passes 200/55 on as data",
        lambda item: (item.label, item.field, item.ours) == ("200/55", "data", "not there"),
    ),
    Rule(
        "pyais reads the communication state of type 26 as data, and data of a fixed size",
        lambda item: item.label[:2] == "26" and item.field == "data" and _begins_alike(item),
    ),
    Rule(
        "pyais reads an application id in a type 26 that says that it has none, and its data behind it",
        lambda item: item.label[:2] == "26" and (
            (item.field == "app_id" and item.ours == "not there")
            or (item.field == "data" and str(item.theirs)[:8] in str(item.ours))
        ),
    ),
    Rule(
        "pyais adds a byte of zeros to the corrections of type 17",
        lambda item: (item.label, item.field) == ("17", "data") and _begins_alike(item),
    ),
)  # fmt: skip
