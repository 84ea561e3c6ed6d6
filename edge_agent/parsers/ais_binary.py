"""AIS messages that carry messages of another application: types 6 and 8.

Fields are read only for the applications whose "not available" codes are known here: meteorology and hydrography (1/11,
1/31), inland ship data (200/10). All others keep their data as hexadecimal. The alternative, to pass on everything that
pyais can split, shows an operator 127 kn of wind from a station that has no anemometer.

*Source:* M.1371-5 tables 54, 57; IMO SN.1/Circ.236 (1/11), SN.1/Circ.289 (1/31); CCNR VTT 1.2 table 2.6 (200/10).
"""

from typing import Any

from pyais.messages import MSG_CLASS

from contracts.payloads import Ais, FieldValue
from edge_agent.parsers import ais_values as values
from edge_agent.parsers.ais_assembly import AisMessage
from edge_agent.parsers.ais_bits import AisBits

_DATA_BIT = {6: 88, 8: 56}
_METEO = frozenset({(1, 11), (1, 31)})
_INLAND = (200, 10)

METEO_RANGES: dict[str, tuple[float, float]] = {
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "wspeed": (0, 126),
    "wgust": (0, 126),
    "wdir": (0, 359),
    "wgustdir": (0, 359),
    "airtemp": (-60, 60),
    "humidity": (0, 100),
    "dewpoint": (-20, 50),
    "pressure": (799, 1201),
    "pressuretend": (0, 2),
    "waterlevel": (-10, 30),
    "leveltrend": (0, 2),
    "cspeed": (0, 25.1),
    "cdir": (0, 359),
    "cspeed2": (0, 25.1),
    "cdir2": (0, 359),
    "cdepth2": (0, 30),
    "cspeed3": (0, 25.1),
    "cdir3": (0, 359),
    "cdepth3": (0, 30),
    "waveheight": (0, 25.1),
    "waveperiod": (0, 60),
    "wavedir": (0, 359),
    "swellheight": (0, 25.1),
    "swellperiod": (0, 60),
    "swelldir": (0, 359),
    "seastate": (0, 12),
    "watertemp": (-10, 50),
    "preciptype": (0, 5),
    "salinity": (0, 50.1),
    "ice": (0, 1),
}
"""What each field can mean, in the unit of pyais (kn, deg, °C, %, hPa, m); else it is "not available" or reserved."""

_VISIBILITY_MAX = {11: 25.0, 31: 12.6}
_HAZARD_UNKNOWN = 5


def read_binary(bits: AisBits, msg_type: int, message: AisMessage) -> Ais:
    """Read one type 6 or 8.

    Args:
        bits: the whole message.
        msg_type: 6 or 8.
        message: how it was received.

    Raises:
        LookupError, TypeError, ValueError, AISBaseException: from pyais, on bits that are no message.
    """
    mmsi = bits.get(8, 30)
    start = _DATA_BIT[msg_type]
    other: dict[str, FieldValue] = {"repeat": bits.get(6, 2)}
    if msg_type == 6:  # noqa: PLR2004 - the type
        other |= {
            "seqno": bits.get(38, 2),
            "dest_mmsi": bits.get(40, 30) or None,
            "retransmit": bits.get_bool(70),
        }
    if len(bits) >= start:
        other |= _application(bits, msg_type, start)
    return Ais(
        msg_type=msg_type,
        mmsi=mmsi,
        station=values.station(msg_type, mmsi),
        talker=message.talker,
        is_own=message.is_own,
        channel=message.channel,
        other=other,
    )


def _application(bits: AisBits, msg_type: int, start: int) -> dict[str, FieldValue]:
    dac, fid = bits.get(start - 16, 10), bits.get(start - 6, 6)
    read: dict[str, FieldValue] = {"dac": dac, "fid": fid}
    if msg_type == 8 and ((dac, fid) in _METEO or (dac, fid) == _INLAND):  # noqa: PLR2004 - the type
        decoded: Any = MSG_CLASS[msg_type].from_vector(bits)
        full = sum(step[2] for step in decoded.decoder_plan())
        # a shorter one is not what its dac and fid say: its fields would be cut or shifted
        if len(bits) >= full - 10:
            return read | (_inland(decoded) if (dac, fid) == _INLAND else _meteo(decoded, fid))
    return read | {"data": bits.get_bytes(start, len(bits) - start).hex() or None}


def _meteo(msg: Any, fid: int) -> dict[str, FieldValue]:  # noqa: ANN401 - pyais builds its classes at run time
    lon, lat = values.position(msg.lon, msg.lat)
    read: dict[str, FieldValue] = {"lon": lon, "lat": lat}
    for name, (low, high) in METEO_RANGES.items():
        value = getattr(msg, name)
        read[name] = values.plain(value) if value is not None and low <= value <= high else None
    visibility = msg.visibility
    read["visibility"] = visibility if visibility is not None and visibility <= _VISIBILITY_MAX[fid] else None
    if hasattr(msg, "visgreater"):
        read["visgreater"] = msg.visgreater if read["visibility"] is not None else None
        read["accuracy"] = msg.accuracy if lon is not None else None
    return read


def _inland(msg: Any) -> dict[str, FieldValue]:  # noqa: ANN401 - see above
    return {
        "vin": values.text(msg.vin),
        "length": msg.length or None,
        "beam": msg.beam or None,
        "shiptype": msg.shiptype or None,
        "hazard": values.below(msg.hazard, _HAZARD_UNKNOWN),
        "draught": msg.draught or None,
        "loaded": values.plain(msg.loaded) or None,
        "speed_q": msg.speed_q,
        "course_q": msg.course_q,
        "heading_q": msg.heading_q,
    }
