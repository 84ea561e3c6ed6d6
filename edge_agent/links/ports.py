"""The port through which a driver reads bytes, whatever carries them."""

from typing import Protocol


class Link(Protocol):
    """A source of bytes.

    ``open`` and ``read`` raise ``LinkError`` and nothing else of their own; after one the owner closes the link and
    opens it again with backoff. ``close`` may be called at any time, any number of times.
    """

    @property
    def counters(self) -> dict[str, int]:
        """Totals since the link was made, by reason (``bytes``, ``datagrams``, ``overruns``, ``truncated``, …)."""
        ...

    async def open(self) -> None:
        """Make the connection, within the link's own timeout."""
        ...

    async def read(self) -> bytes:
        """Wait for bytes and return them, at most 64 KiB; ``b""`` once a recording has ended."""
        ...

    async def close(self) -> None:
        """Release the hardware."""
        ...
