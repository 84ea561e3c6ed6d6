"""How the cloud names a fixed sensor: by its site, by what it observes, and by what it tells."""

from contracts.payloads import Transducer

MAX_NAME = 40
"""Letters of a transducer's name that count."""


def sensor_key(kind: str, payload: object) -> str:
    """Return what tells one sensor of a place from another: its kind, of transducers also their name.

    Args:
        kind: the payload's ``type`` on the wire.
        payload: the record's.
    """
    if not isinstance(payload, Transducer):
        return kind
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in payload.name.lower())
    return f"{kind}.{name[:MAX_NAME] or '-'}"
