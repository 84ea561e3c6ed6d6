"""Who may move where: berths, anchor places, and one ship at a time where the lanes end. Sans-io.

A ship enters only when a berth is free for it and those before it are already in the lane: it then needs twice the
time to the berths that they need to be fast alongside. A ship leaves its berth only when nobody else berths or leaves
one and nobody inbound is so near that the two would meet where the lanes end.
"""

import math
from collections.abc import Sequence
from enum import StrEnum

ENTRY_GAP_M = 6500.0
"""A ship inbound is less than this from its berth before the next one gets permission."""
DEPARTURE_GAP_M = 9000.0
"""A ship inbound is more than this from its berth when another lets go: half an hour at 10 kn, letting go takes 20."""


class Movement(StrEnum):
    """What a ship does that others have to wait for."""

    INBOUND = "inbound"
    BERTHING = "berthing"
    UNBERTHING = "unberthing"


class HarbourMaster:
    """Gives out berths, anchor places and the permission to move.

    Args:
        anchors: how many anchor places there are.
    """

    def __init__(self, anchors: int) -> None:
        self._berths: dict[str, int] = {}
        self._anchors: dict[int, int] = {}
        self._anchor_count = anchors
        self._movements: dict[int, Movement] = {}
        self._inbound_m: dict[int, float] = {}

    def take_berth(self, mmsi: int, berths: Sequence[str]) -> str | None:
        """Reserve the first free berth of those given, or return None."""
        for berth in berths:
            if self._berths.setdefault(berth, mmsi) == mmsi:
                return berth
        return None

    def leave_berth(self, mmsi: int) -> None:
        """Give back whatever berth the ship has."""
        self._berths = {berth: holder for berth, holder in self._berths.items() if holder != mmsi}

    def take_anchor(self, mmsi: int) -> int | None:
        """Reserve the first free anchor place and return its index, or None if the anchorage is full."""
        for index in range(self._anchor_count):
            if self._anchors.setdefault(index, mmsi) == mmsi:
                return index
        return None

    def leave_anchor(self, mmsi: int) -> None:
        """Give back the ship's anchor place."""
        self._anchors = {index: holder for index, holder in self._anchors.items() if holder != mmsi}

    def clear_inbound(self, mmsi: int, berths: Sequence[str]) -> str | None:
        """Give permission to enter, with a berth, or return None."""
        if any(remaining > ENTRY_GAP_M for remaining in self._inbound_m.values()):
            return None
        berth = self.take_berth(mmsi, berths)
        if berth is not None:
            self.report_inbound(mmsi, math.inf)
        return berth

    def clear_outbound(self, mmsi: int) -> bool:
        """Give permission to leave the berth."""
        is_basin_busy = set(self._movements.values()) & {Movement.BERTHING, Movement.UNBERTHING}
        if is_basin_busy or any(remaining < DEPARTURE_GAP_M for remaining in self._inbound_m.values()):
            return False
        self.report(mmsi, Movement.UNBERTHING)
        return True

    def report_inbound(self, mmsi: int, remaining_m: float) -> None:
        """Note how far an inbound ship has to go to its berth, m."""
        self._movements[mmsi] = Movement.INBOUND
        self._inbound_m[mmsi] = remaining_m

    def report(self, mmsi: int, movement: Movement | None) -> None:
        """Note what a ship does now that is no longer inbound; None: it is in nobody's way."""
        self._inbound_m.pop(mmsi, None)
        self._movements.pop(mmsi, None)
        if movement is not None:
            self._movements[mmsi] = movement
