"""What the sink and the reader ask of a server."""

from collections.abc import AsyncIterator
from typing import Protocol

from cloud_api.history.influx.answers_policy import Answer


class WriteEndpoint(Protocol):
    """Where lines are written: one server by one of its write APIs."""

    async def post(self, policy: str, lines: bytes) -> Answer:
        """Send lines once and tell what became of them; what is ``WRITTEN`` is durable as the server promises it.

        Args:
            policy: retention policy, ``schema.PLACED`` or ``schema.BEYOND``.
            lines: the body, compressed by gzip.

        Raises:
            LinkError: the server cannot be reached, or did not answer in time: the lines may be written or not.
        """
        ...

    async def close(self) -> None:
        """Close; idempotent."""
        ...


class QueryEndpoint(Protocol):
    """Who answers InfluxQL."""

    def ask(self, statements: str, policy: str | None = None) -> AsyncIterator[bytes]:
        """Send statements and yield the lines of the chunked answer, times in ns.

        Args:
            statements: InfluxQL, separated by semicolons.
            policy: retention policy that measurements are looked up in; None where it does not matter.

        Raises:
            LinkError: the server cannot be reached, does not answer in time or with an error, or with more than is
                read.
        """
        ...

    async def close(self) -> None:
        """Close; idempotent."""
        ...
