"""Sensors that tell their state in parts: a mast its air in one sentence and the water's temperature in another.

A GNSS receiver does it too (its place, its errors), and a radar (its heading, its range). The newest word on each field
is shown, as long as the sensor has said it within ``HOLD_NS``: what it no longer says is null again. Pure policy.
"""

import msgspec

from contracts.payloads import GnssFix, Weather
from contracts.radar import RadarDisplay

HOLD_NS = 60_000_000_000
"""Twice the slowest pace at which instruments repeat a sentence."""
TOLD_IN_PARTS = (Weather, GnssFix, RadarDisplay)

PartialPayload = Weather | GnssFix | RadarDisplay


class FieldTimes:
    """When each field of one sensor was last said, UTC ns."""

    __slots__ = ("_said_at_ns",)

    def __init__(self) -> None:
        self._said_at_ns: dict[str, int] = {}

    def completed(self, payload: PartialPayload, known: object, at_ns: int) -> PartialPayload:
        """Return a payload with what its sensor said before and this part of its state leaves out.

        Args:
            payload: the newest part.
            known: the state before it, as this function returned it; of another type it adds nothing.
            at_ns: when it was observed, UTC ns.
        """
        filled: dict[str, object] = {}
        for name, value in msgspec.structs.asdict(payload).items():
            if value is not None:
                self._said_at_ns[name] = at_ns
            elif type(known) is type(payload) and at_ns - self._said_at_ns.get(name, 0) <= HOLD_NS:
                filled[name] = getattr(known, name)
        return msgspec.structs.replace(payload, **filled)
