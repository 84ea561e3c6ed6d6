"""One decoded payload as one line of text: JSON for scripts, columns for people."""

import msgspec

from contracts.payloads import Ais, Depth, Payload, Wind
from edge_agent.parsers.nmea_decoder import Decoded

_ENCODER = msgspec.json.Encoder()


def json_line(decoded: Decoded, at_s: float | None) -> bytes:
    """Return the payload as on the wire, its ``type`` included, with ``raw`` and, if it is known, ``received_at``.

    Args:
        decoded: payload and sentence.
        at_s: arrival time, s since 1970.
    """
    payload = _ENCODER.encode(decoded.payload)
    time = b"" if at_s is None else b',"received_at":' + _ENCODER.encode(at_s)
    return payload[:-1] + b',"raw":' + _ENCODER.encode(decoded.raw) + time + b"}\n"


def table_line(decoded: Decoded, at_s: float | None) -> bytes:
    """Return the payload in columns; a dash stands for what is not available. Arguments as ``json_line``."""
    time = "" if at_s is None else f"{at_s:17.6f} "
    return f"{time}{_columns(decoded.payload)}\n".encode()


def _columns(payload: Payload) -> str:
    if isinstance(payload, Ais):
        return _ais_columns(payload)
    if isinstance(payload, Wind):
        return f"wind   {_number(payload.speed_mps, 6, 2)} m/s {_number(payload.direction_deg, 6, 1)} deg"
    if isinstance(payload, Depth):
        return f"depth  {_number(payload.below_transducer_m, 6, 2)} m   offset {_number(payload.offset_m, 5, 2)} m"
    return _ENCODER.encode(payload).decode()


def _ais_columns(ais: Ais) -> str:
    columns = (
        f"ais {ais.msg_type:2}",
        f"{ais.mmsi:09}",
        f"{ais.station.value:12}",
        f"{_number(ais.lat_deg, 10, 5)} {_number(ais.lon_deg, 10, 5)}",
        f"{_number(ais.sog_kn, 5, 1)} kn {_number(ais.cog_deg, 5, 1)} deg",
        f"hdg {_number(ais.heading_deg, 3, 0)}",
        " ".join(text for text in (ais.name, ais.callsign, ais.destination and f"> {ais.destination}") if text),
    )
    return " ".join(columns).rstrip()


def _number(value: float | None, width: int, digits: int) -> str:
    return "-".rjust(width) if value is None else f"{value:{width}.{digits}f}"
