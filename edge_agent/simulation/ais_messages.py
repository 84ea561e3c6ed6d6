"""AIS messages of the demonstration's ships, as the receiver writes them: AIVDM sentences. Sans-io.

*Source:* ITU-R M.1371-5, annex 8 (messages 1, 4, 5, 18, 21, 24); IEC 61162-1 (VDM). Bits are packed by pyais.
"""

from datetime import UTC, datetime
from itertools import cycle
from typing import Any

from pyais.encode import encode_dict

from edge_agent.simulation.fleet import Aid, ShipSpec, Station
from edge_agent.simulation.geometry import Point, moved
from edge_agent.simulation.motion import Motion

EPFD_GPS = 1
ACCURATE = 1
ROT_LIMIT_DEG_MIN = 708.0
"""Highest rate of turn that message 1 can say."""
MAX_SOG_KN = 102.2


class Receiver:
    """Makes sentences: counts the sequential ids of messages in parts and alternates the channels."""

    def __init__(self) -> None:
        self._channels = cycle("AB")
        self._sequence = cycle(range(10))

    def sentences(self, message: dict[str, Any]) -> list[str]:
        """Return the sentences of one message, each with its line end."""
        lines = encode_dict(
            message,
            talker_id="AI",
            sentence_type="VDM",
            radio_channel=next(self._channels),
            seq_id=next(self._sequence) if message["msg_type"] == 5 else None,  # noqa: PLR2004 - the one in two parts
        )
        return [f"{line}\r\n" for line in lines]


def antenna(spec: ShipSpec, motion: Motion) -> Point:
    """Return where the AIS antenna is: amidships between the sides, ``bow_share`` of the length from the bow."""
    return moved(motion.position, motion.heading_deg, spec.length_m / 2 - _to_bow(spec))


def position_report(
    spec: ShipSpec, motion: Motion, lon_lat: tuple[float, float], nav_status: int, offset_deg: float, utc_s: float
) -> dict[str, Any]:
    """Return message 1 (class A) or 18 (class B).

    Args:
        spec: the ship.
        motion: its hull.
        lon_lat: of its antenna, degrees WGS 84.
        nav_status: 0 to 14; class B has none.
        offset_deg: heading less the heading of the motion, for a ship that drifts.
        utc_s: time of the position, UTC seconds since 1970.
    """
    message: dict[str, Any] = {
        "msg_type": 1 if spec.ais == "a" else 18,
        "mmsi": spec.mmsi,
        "speed": _tenth(min(motion.sog_kn, MAX_SOG_KN)),
        "accuracy": ACCURATE,
        "lon": lon_lat[0],
        "lat": lon_lat[1],
        "course": _tenth(motion.cog_deg) % 360,
        "heading": round(motion.heading_deg + offset_deg) % 360,
        "second": int(utc_s) % 60,
    }
    if spec.ais == "a":
        turn = motion.turn_deg_s * 60
        turn = max(-ROT_LIMIT_DEG_MIN, min(ROT_LIMIT_DEG_MIN, round(turn, 1)))
        message |= {"status": nav_status, "turn": turn, "maneuver": 0}
    else:
        message |= {"cs": 1, "dsc": 1, "band": 1, "msg22": 1}
    return message


def static_reports(spec: ShipSpec, eta_s: float) -> list[dict[str, Any]]:
    """Return message 5 (class A) or 24 parts A and B (class B).

    Args:
        spec: the ship.
        eta_s: what it gives as its time of arrival, UTC seconds since 1970.
    """
    to_bow, half = _to_bow(spec), spec.beam_m // 2
    sides = {
        "to_bow": to_bow,
        "to_stern": spec.length_m - to_bow,
        "to_port": half,
        "to_starboard": spec.beam_m - half,
    }
    if spec.ais == "b":
        part = {"msg_type": 24, "mmsi": spec.mmsi}
        return [
            part | {"partno": 0, "shipname": spec.name},
            part | {"partno": 1, "ship_type": spec.ship_type, "callsign": spec.callsign, "vendorid": "PTD"} | sides,
        ]
    eta = datetime.fromtimestamp(eta_s, UTC)
    message = {
        "msg_type": 5,
        "mmsi": spec.mmsi,
        "ais_version": 2,
        "imo": spec.imo or 0,
        "callsign": spec.callsign,
        "shipname": spec.name,
        "ship_type": spec.ship_type,
        "epfd": EPFD_GPS,
        "month": eta.month,
        "day": eta.day,
        "hour": eta.hour,
        "minute": eta.minute,
        "draught": _tenth(spec.draught_m),
        "destination": spec.destination,
    }
    return [message | sides]


def base_report(station: Station, lon_lat: tuple[float, float], utc_s: float) -> dict[str, Any]:
    """Return message 4 of the base station; arguments as ``position_report``."""
    now = datetime.fromtimestamp(utc_s, UTC)
    return {
        "msg_type": 4,
        "mmsi": station.mmsi,
        "year": now.year,
        "month": now.month,
        "day": now.day,
        "hour": now.hour,
        "minute": now.minute,
        "second": now.second,
        "accuracy": ACCURATE,
        "lon": lon_lat[0],
        "lat": lon_lat[1],
        "epfd": EPFD_GPS,
    }


def aid_report(aid: Aid, utc_s: float) -> dict[str, Any]:
    """Return message 21 of an aid to navigation; ``utc_s`` as ``position_report``."""
    return {
        "msg_type": 21,
        "mmsi": aid.mmsi,
        "aid_type": aid.aid_type,
        "name": aid.name,
        "accuracy": ACCURATE,
        "lon": aid.at[0],
        "lat": aid.at[1],
        "to_bow": 1,
        "to_stern": 1,
        "to_port": 1,
        "to_starboard": 1,
        "epfd": EPFD_GPS,
        "second": int(utc_s) % 60,
    }


def _to_bow(spec: ShipSpec) -> int:
    return round(spec.length_m * spec.bow_share)


def _tenth(value: float) -> float:
    # pyais cuts what is below its tenth: 2.9 is 28.999… tenths without the half grain
    return round(value, 1) + 1e-6
