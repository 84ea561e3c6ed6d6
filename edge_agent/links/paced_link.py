"""Any link of hardware, read no faster than ``PacePolicy`` allows. The wait comes before a read and loses no bytes."""

import asyncio
import time

from edge_agent.links.pace_policy import PacePolicy
from edge_agent.links.ports import Link


class PacedLink:
    """``Link`` around another.

    Args:
        inner: the link.
    """

    def __init__(self, inner: Link) -> None:
        self._inner = inner
        self._pace = PacePolicy(time.monotonic_ns())
        self._held_up = 0

    @property
    def counters(self) -> dict[str, int]:
        """Those of the link, and ``held_up``: reads that had to wait because the line was flooded."""
        counters = self._inner.counters
        return counters | {"held_up": self._held_up} if self._held_up else counters

    async def open(self) -> None:
        """See the port."""
        await self._inner.open()

    async def read(self) -> bytes:
        """See the port."""
        wait_s = self._pace.wait_s(time.monotonic_ns())
        if wait_s > 0:
            self._held_up += 1
            await asyncio.sleep(wait_s)
        data = await self._inner.read()
        self._pace.took(len(data), time.monotonic_ns())
        return data

    async def close(self) -> None:
        """See the port."""
        await self._inner.close()
