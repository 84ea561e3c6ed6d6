"""Observations of every kind for the schedules of ``outbox_machine``, of few keys and hard to compress."""

import random

from contracts.payloads import Alarm
from contracts.records import Clock, ClockState, Observation
from tests.support.gateway_records import ais, crane_cycle, log_line, observation, wind

STEP_NS = 2 * 10**9
"""Between two observations: a minute holds thirty, of two ships and one mast, so that there is something to thin."""


def alarm(number: int) -> Observation:
    """Return an alarm."""
    return observation(Alarm(alarm="approach_speed", severity="alarm", is_active=True), at_ns=number)


def ship(number: int) -> Observation:
    """Return a report of one of two ships."""
    return ais(number % 2)


MAKERS = {"track": ship, "telemetry": wind, "crane_cycle": crane_cycle, "log": log_line, "alarm": alarm}


def made(kind: str, number: int, state: ClockState) -> Observation:
    """Return the observation of a number, from 1, of a kind, at a clock of a state."""
    item = MAKERS[kind](number)
    fields = {name: getattr(item, name) for name in item.__struct_fields__}
    at_ns = number * STEP_NS
    # does not compress: else a thinned batch is hardly smaller, and nothing is thinned
    raw = random.Random(number).randbytes(60).hex()
    changed = {"observed_at_ns": at_ns, "mono_ns": at_ns, "clock": Clock(state), "raw": raw}
    return Observation(**fields | changed)
