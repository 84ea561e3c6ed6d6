"""What a driver measures: one channel a payload field, with its unit, plausible range and resolution.

Every driver folder lists its own in ``channels.py``. A register map is checked against them, so that a PLC's file can
neither change a unit nor let a value through that the hardware cannot have.
"""

from typing import Literal, NamedTuple

Unit = Literal["bool", "t", "m", "m/s", "kN", "%", "deg", "kn", "s", "°C", "hPa", "count"]


class Channel(NamedTuple):
    """One field of a payload.

    Attributes:
        field: name in the payload.
        unit: unit of the payload's field; the same for every hardware kind.
        minimum: smallest plausible value, inclusive; ``None`` for ``bool``.
        maximum: largest plausible value, inclusive; ``None`` for ``bool``.
        resolution: smallest step that the hardware tells apart; ``None`` for ``bool``.
        is_list: the field is a list of such values (the hooks of a berth).
    """

    field: str
    unit: Unit
    minimum: float | None = None
    maximum: float | None = None
    resolution: float | None = None
    is_list: bool = False
