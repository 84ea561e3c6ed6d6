"""Whose turn it is on a bus that several PLCs share. Sans-io.

A master asks one unit at a time, so a unit that does not answer makes all wait for its timeout. One that was silent is
left alone for a backoff that doubles up to ``BACKOFF_CAP_NS`` and is then asked once, and never twice in a row while a
neighbour's poll is due: a dead unit costs its neighbours at most one timeout a backoff, several dead ones never more
than one timeout between two polls.

*Source:* MODBUS over Serial Line V1.02, clause 2.4.1 (master's response timeout).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from edge_agent.drivers.poll_schedule import PollSchedule

NS = 1_000_000_000
BACKOFF_BASE_NS = 2 * NS
"""A unit that missed one answer to noise is back within two seconds."""
BACKOFF_CAP_NS = 30 * NS
"""A dead unit costs its neighbours two timeouts a minute, and is found again within half a minute."""


class Turn(NamedTuple):
    """Unit to poll now, or ``None``: nobody before ``wake_ns``, monotonic ns."""

    unit_id: int | None
    wake_ns: int


@dataclass
class _Unit:
    schedule: PollSchedule
    due_ns: int
    backoff_ns: int = 0
    """0: it answers."""


class BusPolicy:
    """Turns of the units of one bus.

    Args:
        unit_ids: the units, at least one.
        period_ns: between two polls of a unit, ns.
        now_ns: monotonic, ns.
    """

    def __init__(self, unit_ids: Iterable[int], period_ns: int, now_ns: int) -> None:
        self._period_ns = period_ns
        self._units = {unit_id: _Unit(PollSchedule(period_ns, now_ns), now_ns) for unit_id in unit_ids}
        self._has_just_failed = False
        self.missed = 0
        """Polls that were not made because the one before took too long."""

    @property
    def is_silent(self) -> bool:
        """No unit answers."""
        return all(unit.backoff_ns for unit in self._units.values())

    def is_dead(self, unit_id: int) -> bool:
        """Tell whether a unit was silent when it was last asked."""
        return self._units[unit_id].backoff_ns > 0

    def restart(self, now_ns: int) -> None:
        """Begin again after the link was lost: who answered is due now, who was dead stays so unless all were."""
        is_silent = self.is_silent
        self._has_just_failed = False
        for unit in self._units.values():
            if is_silent:
                unit.backoff_ns = 0
            if not unit.backoff_ns:
                unit.schedule, unit.due_ns = PollSchedule(self._period_ns, now_ns), now_ns

    def next_turn(self, now_ns: int) -> Turn:
        """Return whose turn it is.

        Args:
            now_ns: monotonic, ns.
        """
        due = [(unit_id, unit) for unit_id, unit in self._units.items() if unit.due_ns <= now_ns]
        if not due:
            return Turn(None, min(unit.due_ns for unit in self._units.values()))
        unit_id, _ = min(due, key=lambda item: (self._is_put_off(item[1], now_ns), item[1].due_ns))
        return Turn(unit_id, now_ns)

    def answered(self, unit_id: int, now_ns: int) -> None:
        """Note an answer, an exception of the unit included; it is due again at its next slot."""
        unit = self._units[unit_id]
        if unit.backoff_ns:
            unit.backoff_ns = 0
            unit.schedule = PollSchedule(self._period_ns, now_ns)
        unit.due_ns = unit.schedule.next_due(now_ns)
        self.missed += unit.schedule.take_missed()
        self._has_just_failed = False

    def timed_out(self, unit_id: int, now_ns: int) -> None:
        """Note that a unit did not answer in time; it is left alone for its backoff."""
        unit = self._units[unit_id]
        unit.backoff_ns = min(BACKOFF_CAP_NS, max(BACKOFF_BASE_NS, 2 * unit.backoff_ns))
        unit.due_ns = now_ns + unit.backoff_ns
        self._has_just_failed = True

    def _is_put_off(self, unit: _Unit, now_ns: int) -> bool:
        """Tell whether a dead unit yields to those that answer: always after a timeout, else for one backoff."""
        if not unit.backoff_ns:
            return False
        return self._has_just_failed or now_ns - unit.due_ns < unit.backoff_ns
