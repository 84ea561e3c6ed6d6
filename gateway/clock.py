"""Time of the device, for everything in the gateway that judges ages."""

import threading
import time

from contracts.records import Clock, ClockState
from edge_agent.clock import ClockProbe, read_boot_id


class DeviceClock:
    """Both clocks of the device, and how far UTC can be believed; safe to use from any thread.

    Args:
        probe: asks the kernel how its clock is steered.
    """

    def __init__(self, probe: ClockProbe) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self.boot_id = read_boot_id()

    def mono_s(self) -> float:
        """Return the monotonic clock, s."""
        return time.monotonic()

    def wall_ns(self) -> int:
        """Return UTC ns."""
        return time.time_ns()

    def quality(self) -> Clock:
        """Return the clock quality now."""
        with self._lock:
            return self._probe.quality(time.monotonic_ns())

    def is_believed(self) -> bool:
        """Tell whether UTC is steered by anything."""
        return self.quality().state is not ClockState.UNSYNCED

    def age_s(self, at_ns: int, mono_ns: int, boot_id: str) -> float:
        """Return the age of a moment, s, at least 0: by the monotonic clock if it was in this boot, else by UTC."""
        passed_ns = time.monotonic_ns() - mono_ns if boot_id == self.boot_id else self.wall_ns() - at_ns
        return max(0.0, passed_ns / 1e9)
