"""Who judges a site: when to ask for its lease, when to renew it, and when it is no longer ours. Pure policy.

Of the processes with the track role one is active a site. The lease is a row in the operations database that expires by
the database's clock; here it is only believed until a margin before that, counted from before the question was sent, so
that this process stops before another can start. Each taking raises the epoch, which fences what a former holder still
writes (docs/adr/0142).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_SITES = 256
"""Ten times the ports of the largest national authority planned for; a site beyond it is counted and not judged."""
RENEWALS = 3
"""Questions a lease: two may fail before it is lost."""
MARGIN = 1 / 6
"""Share of a lease by which we stop before the database lets another in: the drift of two clocks over seconds, and
what an answer takes to be acted upon."""
GRACE_S = 0.05
"""After the end of another's lease: asked just before it, the next question would be a whole turn late."""


class Reason(StrEnum):
    """Why a lease changed hands.

    Attributes:
        TAKEN: it is ours.
        EXPIRED: it could not be renewed in time.
        REFUSED: the database says that it is not ours.
        RELEASED: given back at the end.
    """

    TAKEN = "taken"
    EXPIRED = "expired"
    REFUSED = "refused"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Ask:
    """A question: renew the lease of ``epoch``, or take one (None)."""

    site: str
    epoch: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The database's word.

    Attributes:
        site: of the question.
        epoch: of the lease that is ours now; None: it is another's.
        remaining_s: how long the other's lease lasts unless it is renewed, s.
    """

    site: str
    epoch: int | None
    remaining_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """A lease that became ours, or no longer is."""

    site: str
    epoch: int
    reason: Reason

    @property
    def is_held(self) -> bool:
        """Whether it is ours now."""
        return self.reason is Reason.TAKEN


@dataclass(slots=True)
class _Lease:
    next_s: float
    epoch: int | None = None
    until_s: float = 0.0


class LeasePolicy:
    """See the module.

    Args:
        lease_s: how long a lease lasts that nobody renews, s.
        sites: the only sites to ask for; none: every site that is heard.
        jitter: a number from [0, 1) by which questions of several processes are kept apart.
    """

    def __init__(self, lease_s: float, sites: Sequence[str], jitter: Callable[[], float]) -> None:
        self._lease_s = lease_s
        self._named = frozenset(sites)
        self._jitter = jitter
        self._leases: dict[str, _Lease] = {site: _Lease(0.0) for site in sites}
        self.refused_sites = 0

    @property
    def turn_s(self) -> float:
        """Time between two questions for one lease, s; also the longest that an answer is waited for."""
        return self._lease_s / RENEWALS

    def hear(self, site: str, now_s: float) -> None:
        """Take note of a site whose gateways speak."""
        if site in self._leases or self._named:
            return
        if len(self._leases) >= MAX_SITES:
            self.refused_sites += 1
            return
        self._leases[site] = _Lease(now_s)

    def epoch(self, site: str, now_s: float) -> int | None:
        """Return the epoch of the lease that is ours at ``now_s``; None if it is not."""
        lease = self._leases.get(site)
        return lease.epoch if lease is not None and now_s < lease.until_s else None

    def due(self, now_s: float) -> list[Ask]:
        """Return what to ask now, by site; an answer is expected within ``turn_s``."""
        asks = [Ask(site, lease.epoch) for site, lease in sorted(self._leases.items()) if lease.next_s <= now_s]
        for ask in asks:
            self._leases[ask.site].next_s = now_s + self.turn_s
        return asks

    def wake_s(self, now_s: float) -> float:
        """Return when to look again: at the next question, or when a lease of ours ends."""
        times = [now_s + self.turn_s]
        for lease in self._leases.values():
            times += [lease.next_s] if lease.epoch is None else [lease.next_s, lease.until_s]
        return max(now_s, min(times))

    def expire(self, now_s: float) -> list[Change]:
        """Let go of what could not be renewed in time."""
        lost = []
        for site, lease in sorted(self._leases.items()):
            if lease.epoch is not None and now_s >= lease.until_s:
                lost.append(self._lose(site, lease, Reason.EXPIRED))
        return lost

    def take(self, answers: Iterable[Answer], asked_s: float, now_s: float) -> list[Change]:
        """Take the database's answers.

        Args:
            answers: one for each question that was answered.
            asked_s: moment before the questions were sent: no lease can have begun earlier.
            now_s: this moment; what has ended by now is let go.

        Returns:
            What changed; a lease taken anew by us counts as lost and taken.
        """
        changes = []
        for answer in answers:
            lease = self._leases[answer.site]
            if lease.epoch is not None and lease.epoch != answer.epoch:
                changes.append(self._lose(answer.site, lease, Reason.REFUSED))
            if answer.epoch is None:
                wait_s = min(self.turn_s, answer.remaining_s + GRACE_S)
                lease.next_s = now_s + wait_s * (1 + 0.2 * self._jitter())
                continue
            if lease.epoch is None:
                changes.append(Change(answer.site, answer.epoch, Reason.TAKEN))
            lease.epoch = answer.epoch
            lease.until_s = asked_s + self._lease_s * (1 - MARGIN)
        return changes + self.expire(now_s)

    def release(self) -> list[Change]:
        """Let go of everything, at the end."""
        held = [(site, lease) for site, lease in sorted(self._leases.items()) if lease.epoch is not None]
        return [self._lose(site, lease, Reason.RELEASED) for site, lease in held]

    @staticmethod
    def _lose(site: str, lease: _Lease, reason: Reason) -> Change:
        change = Change(site, lease.epoch or 0, reason)
        lease.epoch, lease.until_s = None, 0.0
        return change
