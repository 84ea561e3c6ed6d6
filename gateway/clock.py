"""Time of the device, for everything in the gateway that judges ages."""

import threading
import time
from collections.abc import Callable

from contracts.records import Clock, ClockState
from edge_agent.clock import ClockProbe, read_boot_id
from edge_agent.clock_reference import ClockReference
from gateway.outbox.backfill import FindReference
from gateway.timekeeping.floor_policy import BelievedTime

EARLIEST_NS = 1_577_836_800_000_000_000
"""2020-01-01: a record that claims to be older was stamped by a clock that was not set."""


class DeviceClock:
    """Both clocks of the device, and how far UTC can be believed; safe to use from any thread.

    Args:
        probe: asks the kernel how its clock is steered.
        best_reference: returns the best UTC by GNSS at a monotonic time, ns; None if there is none.

    Attributes:
        find_reference: returns when a boot first knew the time; to be set by whoever knows.
    """

    def __init__(
        self, probe: ClockProbe, best_reference: Callable[[int], ClockReference | None] = lambda _: None
    ) -> None:
        self._probe = probe
        self._best_reference = best_reference
        self._lock = threading.Lock()
        self.find_reference: FindReference = lambda _: None
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
        """Return the true time now: by the system clock while it is believed, else by GNSS; None if neither is known.

        The system clock goes first although a receiver may know better: records are stamped by it from then on, and
        what is back-filled by another clock a second away would come after what followed it.
        """
        quality, mono_ns = self.quality(), time.monotonic_ns()
        if quality.is_believed() and quality.error_ms is not None:
            return BelievedTime(self.wall_ns(), mono_ns, quality.error_ms, quality.state)
        reference = self._best_reference(mono_ns)
        if reference is None:
            return None
        utc_ns = reference.utc_ns + mono_ns - reference.mono_ns
        return BelievedTime(utc_ns, mono_ns, reference.bound_at_ms(mono_ns), ClockState.GNSS)

    def age_s(self, at_ns: int, mono_ns: int, boot_id: str) -> float:
        """Return the age of a moment, s, at least 0: by the monotonic clock if it was in this boot, else by UTC.

        A moment of an earlier boot is at least as old as this boot; more is said only where its time is known: by its
        boot's reference, or because it is no time of a clock that began in 1970.
        """
        now_ns = time.monotonic_ns()
        if boot_id == self.boot_id:
            return max(0.0, (now_ns - mono_ns) / 1e9)
        reference = self.find_reference(boot_id)
        moment_ns = reference.utc_at(mono_ns) if reference is not None else at_ns
        if moment_ns < EARLIEST_NS:
            return now_ns / 1e9
        known = self.believed_time()
        utc_ns = self.wall_ns() if known is None else known.utc_ns
        return max(now_ns, utc_ns - moment_ns) / 1e9
