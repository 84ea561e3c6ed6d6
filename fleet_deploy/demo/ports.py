"""What the demonstration wants to know from the cloud it started."""

from typing import Protocol


class Cloud(Protocol):
    """The cloud's HTTP API. Every method answers within its own timeout; a cloud that does not answer is no error."""

    async def is_ready(self) -> bool:
        """Tell whether ``/readyz`` says so."""
        ...

    async def fresh_vessels(self) -> int:
        """Return how many vessels were observed in the last ``FRESH_S``: not those of an earlier run's history."""
        ...

    async def online_gateways(self) -> set[str]:
        """Return the ids of the gateways that report."""
        ...
