"""Register maps: where a PLC keeps each quantity, and in what unit, range and word order.

*Source:* Modbus Application Protocol V1.1b3, clause 4.3 (data model). Addresses are zero-based protocol addresses.
"""

from typing import Literal

from pydantic import Field

from firmware_configs.base import Id, Profile


class Tag(Profile):
    """One quantity.

    Attributes:
        field: field of the payload that it fills (``hook_tension_kn[2]`` for an element of a list).
        table: Modbus table; all four are read only here.
        address: zero-based address of the first register or bit.
        type: encoding; ``bool`` in a register table is bit ``bit`` of that register.
        bit: bit number 0 to 15, for ``bool`` in a register table.
        scale: value = raw * scale + offset.
        offset: see ``scale``.
        unit: unit after scaling.
        minimum: smallest plausible value; below it the value is null and counted.
        maximum: largest plausible value.
        deadband: change that is worth a record.
    """

    field: str = Field(pattern=r"^[a-z][a-z0-9_]*(\[\d{1,2}\])?$")
    table: Literal["coil", "discrete_input", "holding_register", "input_register"]
    address: int = Field(ge=0, le=65535)
    type: Literal["bool", "u16", "s16", "u32", "s32", "f32"]
    bit: int | None = Field(default=None, ge=0, le=15)
    scale: float = 1.0
    offset: float = 0.0
    unit: Literal["bool", "t", "m", "m/s", "kN", "%", "count"]
    minimum: float | None = None
    maximum: float | None = None
    deadband: float = Field(default=0.0, ge=0)


class RegisterMap(Profile):
    """A PLC's map. ``word_order``: which 16-bit word of a 32-bit value comes first."""

    schema_version: Literal[1] = Field(alias="schema")
    registers: Id
    title: str
    payload: Literal["crane_sample", "berth_sample", "water_level"]
    word_order: Literal["high_first", "low_first"]
    tags: list[Tag] = Field(min_length=1, max_length=64)
