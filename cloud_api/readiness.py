"""What must answer for this process to be ready."""

from collections.abc import Awaitable, Callable

from cloud_api.bus.ports import Bus
from cloud_api.ingest.service import IngestService
from contracts.errors import LinkError

Check = Callable[[], Awaitable[None]]
"""Returns where a part is well; raises ``LinkError`` where it does not answer."""


def bus_check(bus: Bus) -> Check:
    """Return the check of the broker."""

    async def check() -> None:
        if not bus.is_connected:
            raise LinkError("check bus", "broker", "not connected", "", "disconnected")

    return check


def writing_check(ingest: IngestService) -> Check:
    """Return the check of the store role: a history that can be read but not written is not ready."""

    async def check() -> None:
        if not ingest.is_writing:
            raise LinkError("check history", "history", "the last commit failed", "", "unwritable")

    return check


def both(first: Check | None, second: Check) -> Check:
    """Return a check of two sides of one part; ``first`` may be missing."""

    async def check() -> None:
        if first is not None:
            await first()
        await second()

    return check
