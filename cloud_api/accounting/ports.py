"""What the accounting asks of others."""

from collections.abc import Sequence
from typing import Protocol

from cloud_api.accounting.models import GatewayStanding, OpenStream
from cloud_api.history.models import StreamBalance


class BalanceReader(Protocol):
    """The history."""

    async def balances(self) -> list[StreamBalance]:
        """Return the running balance of every stream, by id.

        Raises:
            LinkError: the store cannot be read now.
        """
        ...


class OpenStreamStore(Protocol):
    """Keeps the streams that are not whole."""

    async def load(self) -> list[OpenStream]:
        """Return them, by id.

        Raises:
            LinkError: not now.
        """
        ...

    async def save(self, changed: Sequence[OpenStream], closed: Sequence[str]) -> None:
        """Insert or replace some and forget others (ids), in one transaction; idempotent.

        Raises:
            LinkError: not now; nothing was changed.
        """
        ...


class Announcer(Protocol):
    """Where operators look (the live picture)."""

    def tell_standing(self, standing: GatewayStanding) -> None:
        """Show a gateway's balance; what a person must be told of at once reaches the screens with the next frame."""
        ...
