"""What one sentence says that carries several values, each of which may be right or wrong by itself. Sans-io."""

from collections.abc import Callable
from typing import NamedTuple

from contracts.errors import PeerError
from contracts.payloads import Payload


class Readings(NamedTuple):
    """Payloads of one sentence in its order, and why each of its other values is none (``PeerError``, by reason)."""

    payloads: list[Payload]
    faults: list[PeerError]


def read_each(parsers: list[Callable[[], Payload | None]]) -> Readings:
    """Read the parts of a sentence; a part that is refused takes none of the others along.

    Args:
        parsers: one a part; each returns its payload, or None where the part is empty.
    """
    readings = Readings([], [])
    for parse in parsers:
        try:
            payload = parse()
        except PeerError as exc:
            readings.faults.append(exc)
        else:
            if payload is not None:
                readings.payloads.append(payload)
    return readings
