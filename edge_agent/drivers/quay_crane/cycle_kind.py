"""Direction and kind of a lift, from where it was locked and unlocked, weight and spreader setting. Sans-io."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from firmware_configs.crane_rules import CycleRules, KindRule

Direction = Literal["load", "discharge", "restow", "shift"]
_DIRECTIONS: dict[tuple[bool, bool], Direction] = {
    (True, False): "discharge",
    (False, True): "load",
    (True, True): "restow",
    (False, False): "shift",
}


class Lift(NamedTuple):
    """What is known of a lift.

    Attributes:
        from_m: trolley position where it was locked, m, seaward positive; ``None``: not seen.
        to_m: trolley position where it was unlocked, m.
        gross_t: its weight, t.
        is_twin: the spreader was set to two 20-foot units.
    """

    from_m: float | None
    to_m: float | None
    gross_t: float | None
    is_twin: bool | None


def direction_of(lift: Lift, rules: CycleRules) -> Direction | None:
    """Return the direction; ``None`` where one end was not seen."""
    if lift.from_m is None or lift.to_m is None:
        return None
    return _DIRECTIONS[lift.from_m >= rules.ship_from_m, lift.to_m >= rules.ship_from_m]


def kind_of(lift: Lift, rules: CycleRules) -> str:
    """Return the kind by the first rule that holds, else ``container``."""
    ends = [place for place in (lift.from_m, lift.to_m) if place is not None and place < rules.ship_from_m]
    for rule in rules.kinds:
        if _holds(rule, lift, ends):
            return rule.kind
    return "container"


def _holds(rule: KindRule, lift: Lift, quay_ends: Iterable[float]) -> bool:
    if rule.is_twin is not None and lift.is_twin is not rule.is_twin:
        return False
    if not _is_within([lift.gross_t], rule.gross_from_t, rule.gross_below_t):
        return False
    return _is_within(quay_ends, rule.quay_from_m, rule.quay_below_m)


def _is_within(values: Iterable[float | None], minimum: float | None, below: float | None) -> bool:
    """Tell whether any known value is within; without limits always, without a known value never."""
    if minimum is None and below is None:
        return True
    return any(
        value is not None and (minimum is None or value >= minimum) and (below is None or value < below)
        for value in values
    )
