"""The fields of AIS messages for tests: layouts from pyais, which numbers are values from the standard.

pyais is an independent reading of the layouts. Which numbers of a field are values, and which stand for "not available"
or for nothing, is written down here from the standard, apart from the code under test.

*Source:* ITU-R M.1371-5 annex 8; IMO SN.1/Circ.236, SN.1/Circ.289; inland AIS standard (VTT 1.2).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from pyais import messages as pyais

from contracts.payloads import Ais

Valid = Callable[[int], bool]
MMSI = 219018000


def within(low: int, high: int) -> Valid:
    return lambda raw: low <= raw <= high


def anything(_raw: int) -> bool:
    return True


NOT_ZERO = within(1, 2**30)
DIRECTION = within(0, 359)

VALUES: dict[str, Valid] = {
    "status": within(0, 14), "turn": within(-126, 126), "speed": within(0, 1022), "course": within(0, 3599),
    "lon": within(-108_000_000, 108_000_000), "lat": within(-54_000_000, 54_000_000), "heading": DIRECTION,
    "second": within(0, 59), "maneuver": NOT_ZERO, "year": within(1, 9999), "month": within(1, 12),
    "day": within(1, 31), "hour": within(0, 23), "minute": within(0, 59), "epfd": NOT_ZERO,
    "imo": within(1_000_000, 9_999_999), "ship_type": within(1, 99), "draught": within(1, 255),
    "alt": within(0, 4094), "aid_type": NOT_ZERO, "iala_mrn": NOT_ZERO, "type1_1": NOT_ZERO, "type1_2": NOT_ZERO,
    "type2_1": NOT_ZERO, "dest1": NOT_ZERO, "dest2": NOT_ZERO, "dest_mmsi": NOT_ZERO, "mothership_mmsi": NOT_ZERO,
    "linkage": NOT_ZERO,
    **{f"mmsi{number}": NOT_ZERO for number in "1234"},
    **{f"{corner}_lon": within(-108_000, 108_000) for corner in ("ne", "sw")},
    **{f"{corner}_lat": within(-54_000, 54_000) for corner in ("ne", "sw")},
}  # fmt: skip
"""Numbers that are values, by field; a field that is not named has no code for "not available"."""

COARSE = {"lon": within(-108_000, 108_000), "lat": within(-54_000, 54_000)}
MINUTES = {"lon": within(-10_800_000, 10_800_000), "lat": within(-5_400_000, 5_400_000)}
WEATHER = MINUTES | {
    "humidity": within(0, 100), "pressuretend": within(0, 2), "leveltrend": within(0, 2), "seastate": within(0, 12),
    "preciptype": within(1, 5), "ice": within(0, 1), "waveperiod": within(0, 60), "swellperiod": within(0, 60),
    "cdepth2": within(0, 30), "cdepth3": within(0, 30),
    **dict.fromkeys(("wdir", "wgustdir", "cdir", "cdir2", "cdir3", "wavedir", "swelldir"), DIRECTION),
}  # fmt: skip
TENTHS = ("cspeed", "cspeed2", "cspeed3", "waveheight", "swellheight")


class Kind(NamedTuple):
    """A message to be tried: pyais's class, its fields that choose the layout, and where it differs from ``VALUES``."""

    layout: Any
    head: dict[str, int]
    values: dict[str, Valid] = {}  # noqa: RUF012 - never changed


def kind(name: str, msg_type: int, values: dict[str, Valid] | None = None, **head: int) -> Kind:
    return Kind(getattr(pyais, f"MessageType{name}"), {"msg_type": msg_type, "mmsi": MMSI, **head}, values or {})


RESERVATIONS = {f"offset{number}": NOT_ZERO for number in "1234"}
KINDS = {
    **{str(number): kind(str(number), number) for number in (1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 18, 19, 28)},
    "16": kind("16DestinationAB", 16),
    "17": kind("17", 17, COARSE),
    "20": kind("20", 20, RESERVATIONS),
    "21": kind("21", 21, {"reserved_1": NOT_ZERO}),
    "22 area": kind("22Broadcast", 22, addressed=0),
    "22 stations": kind("22Addressed", 22, addressed=1),
    "23": kind("23", 23, {"ship_type": anything}),
    "24 A": kind("24PartA", 24, partno=0),
    "24 B": kind("24PartB", 24, partno=1),
    "24 B craft": kind("24PartBAuxiliaryCraft", 24, partno=1, mmsi=982190180),
    "25 to one": kind("25AddressedStructured", 25, addressed=1, structured=1),
    "25 to all": kind("25BroadcastStructured", 25, addressed=0, structured=1),
    "25 free to one": kind("25AddressedUnstructured", 25, addressed=1, structured=0),
    "26 to one": kind("26AddressedStructured", 26, addressed=1, structured=1),
    "26 to all": kind("26BroadcastStructured", 26, addressed=0, structured=1),
    "27": kind("27", 27, COARSE | {"speed": within(0, 62), "course": DIRECTION}),
    "1/11": kind("8Dac1Fid11", 8, WEATHER | dict.fromkeys(TENTHS, within(0, 250)) | {
        "wspeed": within(0, 120), "wgust": within(0, 120), "airtemp": within(0, 1200), "dewpoint": within(0, 700),
        "pressure": within(0, 400), "visibility": within(0, 250), "waterlevel": within(0, 400),
        "watertemp": within(0, 600), "salinity": within(0, 500)}, dac=1, fid=11),
    "1/31": kind("8Dac1Fid31", 8, WEATHER | dict.fromkeys(TENTHS, within(0, 251)) | {
        "wspeed": within(0, 126), "wgust": within(0, 126), "airtemp": within(-600, 600), "dewpoint": within(-200, 500),
        "pressure": within(0, 402), "visibility": within(0, 126), "waterlevel": within(0, 4000),
        "watertemp": within(-100, 500), "salinity": within(0, 501)}, dac=1, fid=31),
    "1/18": kind("6Dac1Fid18", 6, MINUTES, dac=1, fid=18),
    "200/10": kind("8Dac200Fid10", 8, {
        "length": within(1, 8000), "beam": within(1, 1000), "shiptype": NOT_ZERO, "hazard": within(0, 4),
        "draught": within(1, 2000), "loaded": within(1, 2)}, dac=200, fid=10),
}  # fmt: skip

NAMES = {
    "status": "nav_status", "turn": "rot_deg_min", "speed": "sog_kn", "accuracy": "is_position_accurate",
    "lon": "lon_deg", "lat": "lat_deg", "course": "cog_deg", "heading": "heading_deg", "second": "utc_second",
    "shipname": "name", "draught": "draught_m", "to_bow": "to_bow_m", "to_stern": "to_stern_m",
    "to_port": "to_port_m", "to_starboard": "to_starboard_m",
}  # fmt: skip
"""Fields that are attributes under another name."""

OTHER_NAMES = {
    "23": {"ship_type": "shiptype"},
    "21": {"reserved_1": "aton_status"},
    "1/18": {"destination": "destination_locode"},
}
ETA = {name: f"eta_{name}" for name in ("month", "day", "hour", "minute")}


class Slot(NamedTuple):
    """Where pyais has a field, and how it reads it."""

    name: str
    offset: int
    width: int
    is_signed: bool
    kind: int
    convert: Callable[[Any], Any] | None


def slots(sample: Kind) -> list[Slot]:
    return [Slot(*step) for step in sample.layout.decoder_plan()]


def expected(slot: Slot, raw: int, is_value: Valid, *, is_signed: bool) -> object:
    number = raw - (1 << slot.width) if is_signed and raw >> (slot.width - 1) else raw
    if not is_value(number):
        return None
    if slot.convert in (pyais.to_10th, None) and slot.name.endswith(("lon", "lat")):
        return round(number / 600, 6)  # pyais leaves these in minutes
    if slot.kind == pyais.FLOAT:
        return slot.convert(float(number)) if slot.convert else float(number)
    if slot.kind == pyais.INT and slot.convert is not None and slot.name == "pressure":
        return slot.convert(number)
    return bool(number) if slot.kind == pyais.BOOL else number


def name_of(label: str, name: str) -> str:
    if name in OTHER_NAMES.get(label, {}):
        return OTHER_NAMES[label][name]
    if label == "5" and name in ETA:
        return ETA[name]
    return NAMES.get(name, name) if "/" not in label else name


def found(ais: Ais, name: str) -> object:
    return getattr(ais, name) if name in Ais.__struct_fields__ else ais.other[name]
