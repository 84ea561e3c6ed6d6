"""What serving a broker needs from outside: a look at its monitoring."""

from typing import Protocol

from fleet_deploy.broker.watch import Look


class Monitor(Protocol):
    """The monitoring of one broker."""

    async def look(self) -> Look:
        """Look once, for at most ``LOOK_TIMEOUT_S``; a broker that does not answer is not healthy, never an error."""
        ...
