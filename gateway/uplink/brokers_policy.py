"""Which broker of the list to use, and when to connect. Sans-io.

The list is in order of preference. One that fails gives way to the next, at once; one that holds is kept, also when
it is not the first. The first is gone back to only when it has answered without a miss for the whole of
``return_after_s``: a broker that comes and goes must not take the gateway with it.

*When*: every attempt is drawn from a step with full jitter, the first after a start or a loss too, and the step is
never shorter than the spread of the fleet. ``spread_s`` says how wide that is. Attempts that follow one another, each
drawn uniformly from a step S, make a renewal process whose density rises from 1/S to its peak e/S at the end of the
first step, and then falls to 2/S; so whenever the broker comes back, at most N e/S gateways a second arrive, and S is
chosen so that this mean m leaves room for chance: m + 4 sqrt(m) = ``arrivals_per_s``.

*Source:* M. Brooker, Exponential Backoff And Jitter (AWS, 2015): full jitter.
"""

import math
from collections.abc import Callable

from edge_agent.backoff import FullJitter
from gateway.uplink.reactions_policy import Patience

STABLE_S = 10.0
"""A connection held this long was a success: the backoff begins anew. One that is accepted and cut at once was not."""
BUSY_FACTOR = 10.0
PERSON_BASE_S = 30.0
PERSON_CAP_S = 300.0
"""What only a person can mend is asked for every two and a half minutes on average: within that it is working again."""
PROBES = 3
"""Answers in a row, spread over ``return_after_s``, before the first broker is gone back to."""


def spread_s(fleet_size: int, arrivals_per_s: float) -> float:
    """Return over how long a fleet must spread its attempts, s.

    Args:
        fleet_size: gateways that may come together, from 1.
        arrivals_per_s: connections that the broker bears in its worst second, > 0.
    """
    mean_per_s = (math.sqrt(4 + arrivals_per_s) - 2) ** 2
    return math.e * fleet_size / mean_per_s if fleet_size > 1 else 0.0


class Reconnect:
    """When to connect.

    Args:
        base_s: first step of the backoff, s.
        cap_s: longest step, s.
        fleet_spread_s: see ``spread_s``.
        draw: uniform random number in [0, 1).
    """

    def __init__(self, base_s: float, cap_s: float, fleet_spread_s: float, draw: Callable[[], float]) -> None:
        base_s = max(base_s, fleet_spread_s)
        cap_s = max(cap_s, base_s)
        busy_s = BUSY_FACTOR * base_s
        self._first_s = base_s
        self._draw = draw
        self._backoffs = {
            Patience.WEATHER: FullJitter(base_s, cap_s, draw),
            Patience.BUSY: FullJitter(busy_s, max(cap_s, busy_s), draw),
            Patience.PERSON: FullJitter(max(PERSON_BASE_S, base_s), max(PERSON_CAP_S, cap_s), draw),
        }

    def first_s(self) -> float:
        """Return how long to wait before the very first attempt, s."""
        return self._draw() * self._first_s

    def failed_s(self, patience: Patience) -> float:
        """Return how long to wait after an attempt that failed, s."""
        return self._backoffs[patience].next_s()

    def lost_s(self, held_s: float, patience: Patience) -> float:
        """Return how long to wait after a connection that was held for ``held_s``, s."""
        if held_s < STABLE_S:
            return self.failed_s(patience)
        for backoff in self._backoffs.values():
            backoff.reset()
        return self.first_s() if patience is Patience.WEATHER else self.failed_s(patience)


class BrokerChoice:
    """Which broker to use; brokers are known by their place in the list.

    Args:
        count: brokers in the list, from 1.
        return_after_s: how long the first must have answered before it is gone back to, s.
        draw: uniform random number in [0, 1).
    """

    def __init__(self, count: int, return_after_s: float, draw: Callable[[], float]) -> None:
        self._count = count
        self._return_after_s = return_after_s
        self._draw = draw
        self._answers = 0
        self._asked: list[Patience] = []
        self.current = 0

    @property
    def is_round_over(self) -> bool:
        """Every broker of the list has failed since the last wait: now it is time for one.

        Until then the next is tried at once, so that a fleet whose broker died is at the next after one draw and not
        two. That keeps the limit of ``spread_s``: each broker still sees one attempt a step from each gateway.
        """
        return not self._asked

    def failed(self, patience: Patience) -> Patience:
        """Go on to the next broker: this one was not reached, did not hold, or said no.

        Args:
            patience: what this broker asks for.

        Returns:
            What to wait by: the next broker is not made to wait for what this one asks; once all have failed, it is
            the mildest of what they ask.
        """
        self.current = (self.current + 1) % self._count
        self._asked.append(patience)
        if len(self._asked) < self._count:
            return Patience.WEATHER
        asked, self._asked = self._asked, []
        return min(asked, key=list(Patience).index)

    def connected(self) -> None:
        """Begin to count the answers of the first broker anew."""
        self._answers = 0

    def held(self) -> None:
        """Note that a connection was a success: what others asked for before is forgotten."""
        self._asked.clear()

    def probe_in_s(self) -> float | None:
        """Return how long to wait before the first broker is probed, s; None while it is the one in use.

        Drawn from one to one and a half times the interval, so that a fleet does not return in one second.
        """
        return None if self.current == 0 else self._return_after_s / PROBES * (1 + self._draw() / 2)

    def probed(self, *, has_answered: bool) -> bool:
        """Note a probe; True if the connection should now be given up for the first broker."""
        self._answers = self._answers + 1 if has_answered else 0
        if self._answers < PROBES:
            return False
        self.current = 0
        return True
