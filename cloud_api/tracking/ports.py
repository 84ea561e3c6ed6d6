"""What the track role asks of others."""

from collections.abc import Sequence
from typing import Protocol

from cloud_api.tracking.lease_policy import Answer, Ask, Change


class LeaseStore(Protocol):
    """Keeps one lease a site, by a clock of its own."""

    async def ask(self, holder: str, asks: Sequence[Ask], lease_s: float) -> list[Answer]:
        """Renew or take leases, in one transaction.

        A lease is taken where there is none, where it has expired, or where it is the holder's own; each taking raises
        its epoch. It is renewed only while it has not expired and holder and epoch are as asked.

        Args:
            holder: this process, unlike any other.
            asks: questions, by site: every process locks in the same order.
            lease_s: how long the leases last from now, s.

        Raises:
            LinkError: not now; whether something was taken is unknown, and the next question finds out.
        """
        ...

    async def release(self, holder: str, leases: Sequence[Change]) -> None:
        """End leases, so that another can take them at once.

        Raises:
            LinkError: not now; they expire.
        """
        ...
