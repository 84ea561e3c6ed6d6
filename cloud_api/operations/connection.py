"""A connection to PostgreSQL that never asks the server to cancel: what runs out of time is hung up on.

asyncpg answers a timeout, or a task that is cancelled, with a CancelRequest. A commit that waits for a synchronous
standby is not undone by it but goes through without the standby: its rows become visible, whoever tries again finds
them, takes them for kept, and a gateway deletes what a failover then loses. Hung up on, the commit goes on waiting and
keeps its rows locked and invisible, so that the next attempt fails until the standby has them. A statement that runs is
ended by the server's own statement timeout.

*Source:* PostgreSQL 15 manual, 27.2.8 Synchronous Replication; its warning in ``SyncRepWaitForLSN``: "The transaction
has already committed locally, but might not have been replicated to the standby."
"""

import asyncio

import asyncpg


class HangingUpConnection(asyncpg.Connection):  # type: ignore[misc] # asyncpg has no types
    """asyncpg's connection without its CancelRequest."""

    def _cancel_current_command(
        self, waiter: asyncio.Future[None], cancel_waiter: asyncio.Future[None] | None = None
    ) -> None:
        """Do what asyncpg does where its CancelRequest fails: end the connection and let those who wait go on."""
        del cancel_waiter
        self.terminate()
        if not waiter.done():
            waiter.set_result(None)
