"""Sentences with a right checksum, each telling its number."""

from contracts.payloads import Wind
from contracts.records import Observation


def sentence(body: str) -> bytes:
    """Return the sentence of ``body``, framed."""
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}\r\n".encode()


def wind_sentence(number: int) -> bytes:
    """Return a wind sentence that carries ``number`` (0 to 35,999,999) in direction and speed."""
    high, low = divmod(number, 1000)
    return sentence(f"WIMWV,{high / 100:.2f},T,{low / 100:.2f},M,A")


def wind_numbers(observations: list[Observation]) -> list[int]:
    """Return the numbers that these observations carry."""
    numbers = []
    for observation in observations:
        payload = observation.payload
        assert isinstance(payload, Wind)
        assert payload.direction_deg is not None
        assert payload.speed_mps is not None
        numbers.append(round(payload.direction_deg * 100) * 1000 + round(payload.speed_mps * 100))
    return numbers
