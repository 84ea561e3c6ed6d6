"""What the outbox needs of the device."""

from typing import Protocol


class OutboxClock(Protocol):
    """Time as the outbox judges it; called from the writer thread, never blocks."""

    @property
    def boot_id(self) -> str:
        """Id of this boot of the device, which the monotonic clock counts in."""
        ...

    def mono_s(self) -> float:
        """Return the monotonic clock, s."""
        ...

    def wall_ns(self) -> int:
        """Return UTC ns."""
        ...

    def is_believed(self) -> bool:
        """Tell whether UTC can be believed (steered by NTP, GNSS or an RTC)."""
        ...

    def age_s(self, at_ns: int, mono_ns: int, boot_id: str) -> float:
        """Return the age of a moment, s, at least 0: by the monotonic clock if it was in this boot, else by UTC."""
        ...
