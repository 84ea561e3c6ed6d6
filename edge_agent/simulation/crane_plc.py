"""What a crane's PLC shows of the crane: contacts that bounce, a noisy load, counters, starts. Sans-io, seeded.

The crane of ``crane.py`` is the truth; this is what a driver gets to see of it.

*Source:* inductive proximity switches chatter for some 10 to 500 ms on a swinging spreader; S7 and similar controllers
show zeros for seconds after a start, until their program has run through its restart organisation block.
"""

import random
from collections.abc import Mapping

from edge_agent.simulation.crane import Crane

BOUNCE_S = 0.5
"""Longest chatter of a contact after it has changed."""
FLICKER = 0.0005
"""Share of steps in which a contact says the opposite for one step: a loose plug."""
NOISE_T = 0.08
CONTACTS = ("is_spreader_locked", "is_spreader_landed")


class CranePlc:
    """One PLC, stepped after its crane.

    Args:
        crane: what it controls.
        seed: of its faults.

    Attributes:
        boot_no: starts, as it counts them itself.
        cycle_no: lifts since the last start; counted when the twist-locks open.
        is_off: it does not answer.
    """

    def __init__(self, crane: Crane, seed: str) -> None:
        self._crane = crane
        self._random = random.Random(f"{seed}-plc")
        self.boot_no = 1
        self.cycle_no = 0
        self._off_s = 0.0
        self._zero_s = 0.0
        self._bounce_s = dict.fromkeys(CONTACTS, 0.0)
        self._truth = self._contacts()
        self._shown = dict(self._truth)
        self._noise_t = 0.0

    @property
    def is_off(self) -> bool:
        """It does not answer."""
        return self._off_s > 0

    def reboot(self, off_s: float, zero_s: float) -> None:
        """Start again: silent, then all zeros, then as before with its counter at 0.

        Args:
            off_s: silent for, s.
            zero_s: zeros for, s.
        """
        self._off_s, self._zero_s = off_s, zero_s
        self.boot_no += 1
        self.cycle_no = 0

    def step(self, step_s: float) -> None:
        """Follow the crane.

        Args:
            step_s: 0 to 1 s.
        """
        if self._off_s > 0:
            self._off_s = max(0.0, self._off_s - step_s)
        elif self._zero_s > 0:
            self._zero_s = max(0.0, self._zero_s - step_s)
        truth = self._contacts()
        if self._truth["is_spreader_locked"] and not truth["is_spreader_locked"]:
            self.cycle_no += 1
        for name, value in truth.items():
            if value != self._truth[name]:
                self._bounce_s[name] = self._random.uniform(0, BOUNCE_S)
            self._bounce_s[name] = max(0.0, self._bounce_s[name] - step_s)
            is_chattering = self._bounce_s[name] > 0
            is_wrong = self._random.random() < (0.5 if is_chattering else FLICKER)
            self._shown[name] = value is not is_wrong
        self._truth = truth
        self._noise_t = self._random.gauss(0, NOISE_T)

    def values(self) -> Mapping[str, float | bool]:
        """Return what it shows, by field of the crane sample."""
        values = self._crane.values()
        if self._zero_s > 0:
            return {name: type(value)() for name, value in values.items()} | {"cycle_no": 0, "plc_boot_no": 0}
        load_t = float(values["hoist_load_t"]) + self._noise_t
        counters = {"cycle_no": self.cycle_no, "plc_boot_no": self.boot_no}
        return values | self._shown | {"hoist_load_t": load_t} | counters

    def _contacts(self) -> dict[str, bool]:
        return {"is_spreader_locked": self._crane.is_locked, "is_spreader_landed": self._crane.is_landed}
