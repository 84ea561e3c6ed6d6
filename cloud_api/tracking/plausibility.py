"""What a record must hold to be shown: one absurd value must not break the frame that all clients share. Pure policy.

The parsers at the edge convert and check; here the sender is only believed to be a gateway of ours, not to be well.

*Source:* ITU-R M.1371-5, annex 8 (ranges); contracts.payloads (units).
"""

from contracts.ids import is_id
from contracts.payloads import Ais
from contracts.records import Record

MAX_MMSI = 999_999_999
MAX_SOG_KN = 1022.0
"""Aircraft report up to this; ships up to 102.2."""
MAX_STATIC_NUMBER = 2**31
"""IMO numbers and dimensions are far below: above it no consumer's integers can be trusted."""
MAX_TEXT = 120
"""Longest text of a static field, characters: AIS has 20, with the extension of type 21 34."""


def has_sound_ids(record: Record) -> bool:
    """Tell whether source and place are ids: they become part of the id of a sensor."""
    return is_id(record.source) and (record.place is None or is_id(record.place))


def is_plausible(ais: Ais) -> bool:
    """Tell whether every value that is present lies in its range."""
    numbers = (ais.imo, ais.ship_type, ais.to_bow_m, ais.to_stern_m, ais.to_port_m, ais.to_starboard_m, ais.draught_m)
    texts = (ais.name, ais.callsign, ais.destination)
    return (
        1 <= ais.mmsi <= MAX_MMSI
        and _lies_in(ais.lon_deg, -180, 180)
        and _lies_in(ais.lat_deg, -90, 90)
        and _lies_in(ais.sog_kn, 0, MAX_SOG_KN)
        and _lies_in(ais.cog_deg, 0, 360)
        and _lies_in(ais.heading_deg, 0, 359)
        and _lies_in(ais.nav_status, 0, 15)
        and all(_lies_in(number, 0, MAX_STATIC_NUMBER) for number in numbers)
        and all(text is None or len(text) <= MAX_TEXT for text in texts)
    )


def _lies_in(value: float | None, low: float, high: float) -> bool:
    return value is None or low <= value <= high
