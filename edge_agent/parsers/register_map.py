"""Checks a register map against what a driver measures, once, at the start. Sans-io.

A field that the payload does not have, a unit or range that the field's channel does not allow and an encoding that
cannot be read are the operator's to correct, so they are found before the first read and named with their field.
"""

import re
from collections.abc import Iterator, Sequence

from contracts.errors import ConfigError
from edge_agent.channels import Channel
from edge_agent.parsers.registers import BIT_TABLES, width
from firmware_configs.registers import RegisterMap, Tag

_ELEMENT = re.compile(r"^(?P<name>[a-z][a-z0-9_]*)(?:\[(?P<index>\d{1,2})\])?$")
_LAST_ADDRESS = 65535

Place = tuple[str, int | None]


def split_field(field: str) -> Place:
    """Return the name of a tag's field and its index in a list: ``hook_tension_kn[2]`` is (``hook_tension_kn``, 2).

    Raises:
        ConfigError: it is not a field (reason ``invalid``).
    """
    match = _ELEMENT.match(field)
    if match is None:
        raise ConfigError("check register map", field, "not a field", "", "invalid")
    index = match["index"]
    return match["name"], None if index is None else int(index)


def fit_map(register_map: RegisterMap, channels: Sequence[Channel]) -> RegisterMap:
    """Return the map with the channels' ranges where it has none of its own; refuse one that cannot be read.

    Args:
        register_map: the map.
        channels: what the driver measures.

    Raises:
        ConfigError: a field is unknown or given twice, list elements leave a hole, a unit or range is not the
            channel's, or an encoding is not possible (reason ``invalid``).
    """
    known = {channel.field: channel for channel in channels}
    seen: set[Place] = set()
    tags = []
    for tag in register_map.tags:
        name, index = split_field(tag.field)
        problem = "given twice" if (name, index) in seen else next(_problems(tag, index, known.get(name)), "")
        if problem:
            subject = f"{register_map.registers}: {tag.field}"
            raise ConfigError("check register map", subject, problem, f"fields: {', '.join(known)}", "invalid")
        seen.add((name, index))
        tags.append(_with_range(tag, known[name]))
    _refuse_holes(register_map.registers, seen)
    return register_map.model_copy(update={"tags": tags})


def _refuse_holes(name_of_map: str, seen: set[Place]) -> None:
    for name, index in sorted((name, index) for name, index in seen if index):
        if (name, index - 1) not in seen:
            cause = f"[{index}] without [{index - 1}]"
            raise ConfigError("check register map", f"{name_of_map}: {name}", cause, "count from [0]", "invalid")


def _with_range(tag: Tag, channel: Channel) -> Tag:
    minimum = channel.minimum if tag.minimum is None else tag.minimum
    maximum = channel.maximum if tag.maximum is None else tag.maximum
    return tag.model_copy(update={"minimum": minimum, "maximum": maximum})


def _problems(tag: Tag, index: int | None, channel: Channel | None) -> Iterator[str]:
    if channel is None:
        yield "no such field"
        return
    if channel.is_list != (index is not None):
        yield "must have an index" if channel.is_list else "has no index"
    if tag.unit != channel.unit:
        yield f"unit {tag.unit}, must be {channel.unit}"
    if (tag.type == "bool") != (channel.unit == "bool"):
        yield f"type {tag.type} for unit {channel.unit}"
    if _is_wider(tag, channel):
        yield f"range must be within {channel.minimum} to {channel.maximum} {channel.unit}"
    yield from _encoding_problems(tag)


def _encoding_problems(tag: Tag) -> Iterator[str]:
    if tag.table in BIT_TABLES and tag.type != "bool":
        yield f"type {tag.type} in a table of bits"
    if (tag.bit is not None) != (tag.type == "bool" and tag.table not in BIT_TABLES):
        yield "bit is for a bool in a register, and needed there"
    if tag.address + width(tag) - 1 > _LAST_ADDRESS:
        yield f"ends after address {_LAST_ADDRESS}"
    if tag.scale == 0:
        yield "scale must not be 0"


def _is_wider(tag: Tag, channel: Channel) -> bool:
    is_below = tag.minimum is not None and (channel.minimum is None or tag.minimum < channel.minimum)
    is_above = tag.maximum is not None and (channel.maximum is None or tag.maximum > channel.maximum)
    return is_below or is_above
