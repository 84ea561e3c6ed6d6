"""Time of the device, for everything in the gateway that judges ages."""

import threading
import time
from collections.abc import Callable

from contracts.records import Clock, ClockState
from edge_agent.clock import ClockProbe, read_boot_id
from edge_agent.clock_reference import ClockReference
from gateway.timekeeping.floor_policy import BelievedTime


class DeviceClock:
    """Both clocks of the device, and how far UTC can be believed; safe to use from any thread.

    Args:
        probe: asks the kernel how its clock is steered.
        best_reference: returns the best UTC by GNSS at a monotonic time, ns; None if there is none.
    """

    def __init__(
        self, probe: ClockProbe, best_reference: Callable[[int], ClockReference | None] = lambda _: None
    ) -> None:
        self._probe = probe
        self._best_reference = best_reference
        self._lock = threading.Lock()
        self.boot_id = read_boot_id()

    def mono_s(self) -> float:
        """Return the monotonic clock, s."""
        return time.monotonic()

    def mono_ns(self) -> int:
        """Return the monotonic clock, ns."""
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        """Return UTC ns."""
        return time.time_ns()

    def quality(self) -> Clock:
        """Return the clock quality now."""
        with self._lock:
            return self._probe.quality(time.monotonic_ns())

    def is_believed(self) -> bool:
        """Tell whether the system clock is steered, and not known to be far off."""
        return self.quality().is_believed()

    def believed_time(self) -> BelievedTime | None:
        """Return the true time now: by GNSS where a receiver tells it, else by the clock that the kernel steers.

        None where neither is known, and where the kernel cannot bound the error.
        """
        quality, mono_ns = self.quality(), time.monotonic_ns()
        reference = self._best_reference(mono_ns)
        if reference is not None:
            utc_ns = reference.utc_ns + mono_ns - reference.mono_ns
            return BelievedTime(utc_ns, mono_ns, reference.bound_at_ms(mono_ns), ClockState.GNSS)
        if not quality.is_believed() or quality.error_ms is None:
            return None
        return BelievedTime(self.wall_ns(), mono_ns, quality.error_ms, quality.state)

    def age_s(self, at_ns: int, mono_ns: int, boot_id: str) -> float:
        """Return the age of a moment, s, at least 0: by the monotonic clock if it was in this boot, else by UTC."""
        passed_ns = time.monotonic_ns() - mono_ns if boot_id == self.boot_id else self.wall_ns() - at_ns
        return max(0.0, passed_ns / 1e9)
