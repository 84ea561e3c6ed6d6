"""What the fleet registry asks of its store."""

from collections.abc import Sequence
from typing import Protocol

from cloud_api.fleet.models import GatewayEntry


class GatewayStore(Protocol):
    """Keeps one entry a gateway."""

    async def save(self, entries: Sequence[GatewayEntry]) -> None:
        """Insert or replace entries in one transaction; ``first_seen_ns`` of a known gateway stays.

        An entry that is older (by ``last_seen_ns``) than what is stored changes nothing: each of several processes
        hears a part of the reports.

        Raises:
            LinkError: not now.
        """

    async def load(self) -> list[GatewayEntry]:
        """Return all entries, by site and gateway; those that this program cannot read are left out and logged.

        Raises:
            LinkError: not now.
        """
