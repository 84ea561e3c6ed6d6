"""What the accounting asks of others."""

from typing import Protocol

from cloud_api.accounting.models import GatewayStanding, OpenStream, Settlement, StreamAlarm
from cloud_api.history.models import StreamBalance


class BalanceReader(Protocol):
    """The history."""

    async def balances(self) -> list[StreamBalance]:
        """Return the running balance of every stream, by id.

        Raises:
            LinkError: the store cannot be read now.
        """
        ...


class JudgementStore(Protocol):
    """Keeps what must outlive the process that judges: streams that are not whole, and alarms."""

    async def load(self) -> list[OpenStream]:
        """Return the streams that are not whole, by id.

        Raises:
            LinkError: not now.
        """
        ...

    async def standing(self) -> list[StreamAlarm]:
        """Return the alarms that stand, by stream.

        Raises:
            LinkError: not now.
        """
        ...

    async def settle(self, site: str, epoch: int, settlement: Settlement) -> None:
        """Write a site's settlement in one transaction, if the lease of ``epoch`` is still ours.

        Idempotent by alarm: one that stands is not raised again, one that is cleared stays so.

        Raises:
            LinkError: not now (reason ``lease_lost``: another judges the site); nothing was changed.
        """
        ...


class Authority(Protocol):
    """Says which sites are ours to judge."""

    def epoch(self, site: str) -> int | None:
        """Return the epoch of the site's lease if it is ours at this moment; None if it is not."""
        ...


class Announcer(Protocol):
    """Where operators look (the live picture)."""

    def tell_standing(self, standing: GatewayStanding) -> None:
        """Show a gateway's balance; what a person must be told of at once reaches the screens with the next frame."""
        ...
