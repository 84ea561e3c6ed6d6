"""AIS messages for tests, decoded from lines or from raw field values."""

from typing import Any

from pyais.encode import encode_dict

from contracts.payloads import Ais
from edge_agent.parsers.nmea_decoder import NmeaDecoder

ALPHABET = bytes([*range(48, 88), *range(96, 120)]).decode()


def decode_lines(lines: list[bytes]) -> Ais:
    """Return the one message in ``lines``; nothing may be rejected."""
    decoder = NmeaDecoder()
    decoded = [item for line in lines for item in decoder.feed(line, 0)] + decoder.close(0)
    assert decoder.rejected == {}, dict(decoder.samples)
    (item,) = decoded
    assert isinstance(item.payload, Ais)
    return item.payload


def decode_fields(fields: dict[str, Any], sentence_type: str = "VDM") -> Ais:
    """Return the message that pyais makes of these fields, sent and received."""
    lines = encode_dict(
        {"msg_type": fields["type"], **fields}, talker_id="AI", sentence_type=sentence_type, radio_channel="B", seq_id=3
    )
    return decode_lines([line.encode("ascii") + b"\n" for line in lines])


def armour(bits: str) -> tuple[str, int]:
    """Return (payload, fill bits) of a string of 0 and 1."""
    fill = -len(bits) % 6
    bits += "0" * fill
    return "".join(ALPHABET[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6)), fill


def bits_of(*values: tuple[int, int]) -> str:
    """Return the bits of (value, width) pairs; negative values in two's complement."""
    return "".join(f"{value & ((1 << width) - 1):0{width}b}" for value, width in values)
