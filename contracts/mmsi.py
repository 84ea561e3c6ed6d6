"""What the form of an MMSI says of its holder: only one of ten forms is a ship.

A set that is programmed with a number of another form (half of some fleets' class B sets carry a coast station's) is
labelled by it and never becomes a ship on a screen. A form is what the digits claim, no proof of who sends.

*Source:* ITU-R M.585-9 annexes 1 and 2.
"""

from enum import StrEnum

from contracts.payloads import AisStation


class MmsiClass(StrEnum):
    """Form of an MMSI; ``ILLEGAL`` is every number that M.585 assigns to nobody."""

    SHIP = "ship"
    GROUP = "group"
    COAST = "coast"
    SAR_AIRCRAFT = "sar_aircraft"
    HANDHELD = "handheld"
    SART = "sart"
    MOB = "mob"
    EPIRB = "epirb"
    AMRD = "amrd"
    AUXILIARY_CRAFT = "auxiliary_craft"
    ATON = "aton"
    ILLEGAL = "illegal"


_FIRST_MID, _LAST_MID = 201, 775
_OF_THREE_DIGITS = {
    111: MmsiClass.SAR_AIRCRAFT,
    970: MmsiClass.SART,
    972: MmsiClass.MOB,
    974: MmsiClass.EPIRB,
    979: MmsiClass.AMRD,
}
"""970: search-and-rescue transmitter, 972: man overboard, 974: EPIRB with AIS, 979: other autonomous radio devices."""

_OF_TWO_DIGITS = {98: MmsiClass.AUXILIARY_CRAFT, 99: MmsiClass.ATON}
_HANDHELD_DIGIT = 8
_ALL_COAST_STATIONS = 9_990_000
_COAST_END = 10_000_000
_GROUP_END = 100_000_000


def mmsi_class(mmsi: int) -> MmsiClass:
    """Return the form of an MMSI.

    Args:
        mmsi: as transmitted, 0 to 1,073,741,823 (30 bits).

    *Source:* ITU-R M.585-9, annex 1 clauses 1 to 5, annex 2.
    """
    head = mmsi // 1_000_000
    if _FIRST_MID <= head <= _LAST_MID:
        return MmsiClass.SHIP
    if mmsi < _COAST_END:
        is_coast = _FIRST_MID <= mmsi // 10_000 <= _LAST_MID or mmsi == _ALL_COAST_STATIONS
        return MmsiClass.COAST if is_coast else MmsiClass.ILLEGAL
    if mmsi < _GROUP_END:
        return MmsiClass.GROUP if _FIRST_MID <= mmsi // 100_000 <= _LAST_MID else MmsiClass.ILLEGAL
    if head // 100 == _HANDHELD_DIGIT:
        return MmsiClass.HANDHELD
    return _OF_THREE_DIGITS.get(head) or _OF_TWO_DIGITS.get(head // 10) or MmsiClass.ILLEGAL


def is_ship(station: AisStation, mmsi: int) -> bool:
    """Tell whether a sender is a ship: class A or B, or of unknown class with a ship's MMSI.

    Args:
        station: kind of sender that its messages say.
        mmsi: as transmitted.
    """
    if station is AisStation.UNKNOWN:
        return mmsi_class(mmsi) is MmsiClass.SHIP
    return station in (AisStation.CLASS_A, AisStation.CLASS_B)
