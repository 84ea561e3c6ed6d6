"""Contacts that bounce and loads that swing: a value is believed once it has held. Sans-io.

A twist-lock's proximity switch chatters while the lock turns and again when the unit settles; a load cell swings while
an axis accelerates. Hysteresis keeps the load's two limits apart, holding keeps chatter out of both.
"""

from contracts.payloads import CraneSample
from edge_agent.clock import Moment

GAP_NS = 2_000_000_000
"""Ten polls without a sample: what happened meanwhile is not known."""


class HeldContact:
    """A yes or no that must hold before it is believed.

    Args:
        hold_ns: how long, ns.
    """

    def __init__(self, hold_ns: int) -> None:
        self._hold_ns = hold_ns
        self._candidate: bool | None = None
        self._candidate_since = Moment(0, 0)
        self._is_candidate_seen = False
        self._read_at_ns = 0
        self.value: bool | None = None
        """What is believed; ``None`` before the first."""
        self.since = Moment(0, 0)
        """When what is believed began, not when it was believed."""
        self.is_change_seen = False
        """The other value was read until right before: not so after a gap, when it may have changed long ago."""

    def update(self, raw: bool | None, at: Moment) -> None:  # noqa: FBT001 - a reading, not a switch
        """Take a reading; ``None`` (not available) neither confirms nor refutes.

        Args:
            raw: what the contact says.
            at: when it was read.
        """
        if raw is None:
            return
        is_gap = at.mono_ns - self._read_at_ns > GAP_NS
        self._read_at_ns = at.mono_ns
        if raw == self.value:
            self._candidate = None
            return
        if raw != self._candidate:
            self._candidate, self._candidate_since, self._is_candidate_seen = raw, at, not is_gap
        if at.mono_ns - self._candidate_since.mono_ns >= self._hold_ns:
            self.is_change_seen = self.value is not None and self._is_candidate_seen
            self.value, self.since, self._candidate = raw, self._candidate_since, None

    def has_held(self, value: bool, for_ns: int, at: Moment) -> bool:  # noqa: FBT001 - a reading, not a switch
        """Tell whether it has been believed to be ``value`` for so long.

        Args:
            value: which.
            for_ns: how long, ns.
            at: now.
        """
        return self.value is value and at.mono_ns - self.since.mono_ns >= for_ns


class HeldLoad:
    """Whether something hangs: above one limit yes, below another no, between the two what it was before.

    Args:
        above_t: net load above which something hangs, t.
        below_t: net load below which nothing hangs, t, less than ``above_t``.
        tare_t: what the cells show with an empty spreader, t.
        hold_ns: how long a change must hold, ns.
    """

    def __init__(self, above_t: float, below_t: float, tare_t: float, hold_ns: int) -> None:
        self._above_t = above_t
        self._below_t = below_t
        self._tare_t = tare_t
        self._raw: bool | None = None
        self.contact = HeldContact(hold_ns)
        self.net_t: float | None = None
        """Newest net load, t; ``None`` where the cells say nothing."""

    @property
    def is_hanging_now(self) -> bool:
        """The newest reading is above the upper limit."""
        return self.net_t is not None and self.net_t > self._above_t

    def update(self, sample: CraneSample, at: Moment) -> None:
        """Take a reading."""
        self.net_t = None if sample.hoist_load_t is None else sample.hoist_load_t - self._tare_t
        if self.net_t is None:
            self._raw = None
        elif self.net_t > self._above_t:
            self._raw = True
        elif self.net_t < self._below_t:
            self._raw = False
        self.contact.update(self._raw, at)
