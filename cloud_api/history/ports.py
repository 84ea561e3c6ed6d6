"""What the store role and the readers ask of a history."""

from collections.abc import Sequence
from typing import Protocol

from cloud_api.archive.ports import HistoryArchive
from cloud_api.history.models import (
    CommitOutcome,
    CommitPlan,
    ReceivedBatch,
    Rejected,
    StoredRecord,
    StreamAccount,
    StreamBalance,
    TrackPoint,
)
from contracts.records import Record


class HistoryWriter(Protocol):
    """Takes batches; what it has returned is on disk."""

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        """Store records and ledger rows of all batches in one transaction, durable when it returns.

        Idempotent, whatever the cut: a number that is stored already is never stored twice, and its first content
        stays. Data wins over a declared gap: a gap is noted only for numbers that nobody has, and shrinks where data
        come after all. A batch that brings nothing new is a ``DUPLICATE``, one that brings some is ``MERGED``. A number
        that stands for another observation (other boot or monotonic time) makes its batch a ``RANGE_CONFLICT``. A
        batch with a value that the store cannot hold is ``UNSTORABLE``. Neither of these touches its neighbours.

        Returns:
            One outcome a batch, in the same order.

        Raises:
            LinkError: the store cannot write now (busy, disk full); nothing of the call is stored. Try again.
            IntegrityError: the store is damaged; stop.
        """

    async def close(self) -> None:
        """Finish the running commit and close; idempotent."""


class PointSink(Protocol):
    """A store of points that knows nothing of streams: InfluxDB and what speaks its protocol."""

    async def write(self, points: Sequence[StoredRecord]) -> list[Rejected]:
        """Write points; durable when it returns.

        Idempotent by series and time: the same points again change nothing. Two records of one series at one time have
        different numbers and stay two points.

        Returns:
            The points that the store refuses for their content, each with its reason; their neighbours are written.

        Raises:
            LinkError: it cannot write now; any part of the points may be written. Try again with the same.
        """
        ...

    async def check(self) -> None:
        """Ask whether it can write.

        Raises:
            LinkError: not now.
        """
        ...

    async def close(self) -> None:
        """Close; idempotent."""
        ...


class PointQuarantine(Protocol):
    """Keeps points that the sink refuses, for a person to look at."""

    async def keep(self, rejected: Sequence[Rejected]) -> int:
        """Keep points whole, durable when it returns; one that is kept already (stream and number) only counts again.

        Returns:
            How many older ones had to go to keep it within its cap.

        Raises:
            LinkError: not now; try again with the same.
        """
        ...


class StreamLedger(Protocol):
    """Which numbers of which stream were received or declared lost, beside a sink that cannot tell."""

    async def plan(self, batches: Sequence[ReceivedBatch]) -> list[CommitPlan]:
        """Tell what is new of each batch; changes nothing. A number is new in one of the batches only.

        Raises:
            LinkError: the ledger cannot be read now.
        """
        ...

    async def commit(self, batches: Sequence[ReceivedBatch]) -> list[CommitOutcome]:
        """Note batches whose new records are written, in one transaction, durable when it returns.

        It judges anew, under a lock on each stream: another worker may have committed since the plan. What is new then
        was new in the plan, because a number that is known stays known.

        Returns:
            One outcome a batch, in the same order; see ``HistoryWriter.commit``.

        Raises:
            LinkError: not now; nothing was noted. Try again with the same.
        """
        ...


class HistoryReader(HistoryArchive, Protocol):
    """Answers from what is stored. Every method sees one consistent state."""

    async def track(self, mmsi: int, from_ns: int, to_ns: int, max_points: int) -> list[TrackPoint]:
        """Return the positions of a vessel from ``from_ns`` to ``to_ns`` (UTC ns, both included), oldest first.

        The newest ``max_points`` (≥ 1) are kept if there are more. An unknown vessel has none.

        Raises:
            LinkError: the store cannot be read now.
        """

    async def latest_observations(self, since_ns: int) -> list[tuple[str, str, Record]]:
        """Return (site, gateway, record), the newest of each series since ``since_ns`` (UTC ns), oldest first.

        A series is one vessel's positions, one vessel's static data, or one sensor. Logs, health and gaps are none.

        Raises:
            LinkError: as ``track``.
        """

    async def accounting(self) -> list[StreamAccount]:
        """Return the balance of every stream, by id.

        Raises:
            LinkError: as ``track``.
        """

    async def balances(self) -> list[StreamBalance]:
        """Return the running balance of every stream that has received anything, by id.

        Raises:
            LinkError: as ``track``.
        """

    async def check(self) -> None:
        """Read one row.

        Raises:
            LinkError: as ``track``.
        """

    async def close(self) -> None:
        """Close; idempotent."""
