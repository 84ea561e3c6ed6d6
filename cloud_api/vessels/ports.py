"""What the vessel slice asks of a history."""

from typing import Protocol

from cloud_api.history.models import TrackPoint


class HistoryReader(Protocol):
    """Answers from what is stored."""

    async def track(self, mmsi: int, from_ns: int, to_ns: int, max_points: int) -> list[TrackPoint]:
        """Return the positions of a vessel from ``from_ns`` to ``to_ns`` (UTC ns, both included), oldest first.

        The newest ``max_points`` (at least 1) are kept if there are more. An unknown vessel has none.

        Raises:
            LinkError: the store cannot be read now.
        """
        ...
