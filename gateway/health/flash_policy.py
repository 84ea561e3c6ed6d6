"""What is written to the card a day, and how long a card bears it. Sans-io.

The life is a projection of a new card at the rate of the last hours: not a reading of the card, which SD cards do not
offer, and not less what it has borne before. A card whose data sheet is not in the profile has no projection.

*Source:* JEDEC JESD218 (terabytes written under a stated workload); size times cycles over write amplification where a
maker gives cycles only; Linux proc(5), ``/proc/PID/io``, ``write_bytes``.
"""

from collections.abc import Mapping

from firmware_configs.device import Flash
from gateway.health.ewma_policy import Ewma

HOURS_S = 6 * 3600.0
"""The rate is that of the last hours: a night without ships and a day with an outage weigh as what they are."""
KNOWN_AFTER_S = 600.0
"""A start writes more than an hour of work: its ten minutes are no day."""
DAY_S = 86_400.0


class FlashPolicy:
    """Adds up what processes write."""

    def __init__(self) -> None:
        self._rate = Ewma(HOURS_S, KNOWN_AFTER_S)
        self._before: dict[int, int] = {}
        self._at_s: float | None = None
        self.written_bytes = 0

    def note(self, written: Mapping[int, int], now_s: float) -> None:
        """Take the totals of the processes that are alive.

        Args:
            written: bytes since the start of each process, by process id.
            now_s: monotonic, s.
        """
        grown = sum(max(0, total - self._start_of(pid, total)) for pid, total in written.items())
        if self._at_s is not None:
            self._rate.add(grown, now_s - self._at_s)
        self.written_bytes += grown
        self._at_s = now_s
        self._before = dict(written)

    def bytes_per_day(self) -> float | None:
        """Return what is written a day, None while it is not known."""
        per_s = self._rate.per_s()
        return None if per_s is None else per_s * DAY_S

    def _start_of(self, pid: int, total: int) -> int:
        before = self._before.get(pid)
        if before is None:
            # at the first look what was written before has no time to be divided by; later it is a new process
            return total if self._at_s is None else 0
        # a process id that was given to another process begins anew
        return before if before <= total else 0


def card_life_days(flash: Flash, bytes_per_day: float | None) -> float | None:
    """Return how long a new card of the profile's kind bears the rate, days; None where it cannot be said."""
    if not bytes_per_day:
        return None
    if flash.written_tb is not None:
        return flash.written_tb * 1e12 / bytes_per_day
    if flash.capacity_gb is None or flash.erase_cycles is None or flash.write_amplification is None:
        return None
    return flash.capacity_gb * 1e9 * flash.erase_cycles / flash.write_amplification / bytes_per_day
