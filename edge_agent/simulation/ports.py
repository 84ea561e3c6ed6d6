"""What the simulation needs of the endpoints that carry its bytes."""

from collections.abc import Sequence
from typing import Protocol


class Feed(Protocol):
    """One way to readers: sentences go out, nothing comes back.

    ``send`` never blocks and never raises for want of a reader or for a slow one: what cannot be taken is dropped,
    oldest first, and counted in ``dropped`` by reason.
    """

    @property
    def dropped(self) -> dict[str, int]:
        """Sentences dropped since the start, by reason."""
        ...

    def link(self) -> dict[str, object]:
        """Return the link settings by which a driver reaches it, as a device profile spells them."""
        ...

    def send(self, lines: Sequence[str]) -> bool:
        """Send sentences; returns whether a reader has attached since the last call."""
        ...

    async def close(self) -> None:
        """Release it; may be called more than once."""
        ...


class Plc(Protocol):
    """A device that is read by a master."""

    def link(self) -> dict[str, object]:
        """Return the link settings by which a driver reaches it."""
        ...

    async def close(self) -> None:
        """Release it; may be called more than once."""
        ...
