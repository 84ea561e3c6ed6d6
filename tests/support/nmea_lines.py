"""Lines for tests of parsers: with the right checksum, and AIS messages in one or several parts."""

from functools import reduce
from operator import xor
from typing import Any

from pyais.encode import encode_dict


def sentence(body: str, start: str = "$") -> bytes:
    """Return a line: ``start``, ``body``, checksum (by the plain definition, not by the code under test), CR LF."""
    return f"{start}{body}*{reduce(xor, body.encode('ascii'), 0):02X}\r\n".encode("ascii")


def tagged(tag: str, line: bytes) -> bytes:
    """Return ``line`` after a TAG block with the right checksum."""
    return sentence(tag, "\\").strip() + b"\\" + line


def ais_lines(fields: dict[str, Any], *, channel: str = "A", seq_id: int = 1, talker: str = "AI") -> list[bytes]:
    """Return the lines of one AIS message, encoded by pyais from its own field names."""
    sentences = encode_dict(fields, talker_id=talker, sentence_type="VDM", radio_channel=channel, seq_id=seq_id)
    return [text.encode("ascii") + b"\r\n" for text in sentences]


def vdm(payload: str, *, count: int = 1, number: int = 1, seq: str = "", channel: str = "A", fill: int = 0) -> bytes:
    """Return one VDM line around a payload that is already in its armour."""
    return sentence(f"AIVDM,{count},{number},{seq},{channel},{payload},{fill}", "!")


def static(mmsi: int, name: str, *, seq_id: int = 1, channel: str = "A", **more: Any) -> list[bytes]:
    """Return the two lines of a type 5 with this name, its destination made of it to the last character."""
    fields = {"type": 5, "mmsi": mmsi, "shipname": name, "destination": (name * 20)[:20], "callsign": name[:7], **more}
    return ais_lines(fields, seq_id=seq_id, channel=channel)
