"""The channels of a payload: one name and one scalar each, whatever store they lie in. Sans-io.

A field is a channel of its name; each item of a list is ``{name}.{n}``, counted from 1 in the order of the list. What
is not available has no channel. Unit and meaning are those of ``contracts.payloads``, the unit is in the name.
"""

from collections.abc import Mapping

from cloud_api.history.reading import Scalar

DIRECTIONS = frozenset({
    "direction_deg", "heading_deg", "cog_deg", "course_deg", "bearing_deg", "cursor_bearing_deg", "set_deg",
})  # fmt: skip
"""Channels that go round at 360: they have a mean direction, and neither a lowest nor a highest value."""
NO_SERIES = frozenset({"ais", "radar_target", "radar_label", "log", "health", "clock_set", "gap"})
"""Payload types that are no series of a fixed sensor: many objects in one, or words about the machine itself."""


def channels_of(payload: Mapping[str, object]) -> dict[str, Scalar]:
    """Return the channels of a payload in its order.

    Args:
        payload: as JSON has it, with its ``type``; unknown fields are channels too.
    """
    found: dict[str, Scalar] = {}
    for name, value in payload.items():
        if name == "type":
            continue
        if isinstance(value, (list, tuple)):
            found.update((f"{name}.{number}", item) for number, item in enumerate(value, 1) if isinstance(item, Scalar))
        elif isinstance(value, Scalar):
            found[name] = value
    return found


def is_numeric(name: str, value: Scalar) -> bool:
    """Tell whether a channel can be averaged: a number that is neither a state, a text nor a time."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not name.endswith("_ns")
