"""Appends of one run in their order, whichever way they go: to the disk, or to memory when the disk takes nothing.

The disk's writer takes appends in the order of submission, so there they follow each other without waiting. An append
that turns to memory comes there later than one that goes there at once: those of its run behind it have to wait.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.outbox.ring import Run


class Place:
    """Where one append stands; ``is_with_disk``: it was handed to the disk's writer."""

    __slots__ = ("is_with_disk",)

    def __init__(self) -> None:
        self.is_with_disk = False


class Line:
    """See the module. Bounded by the callers: 16 appends of each driver."""

    def __init__(self) -> None:
        self._runs: dict[Run, list[Place]] = {}
        self._has_changed = asyncio.Event()

    @contextmanager
    def join(self, run: Run) -> Iterator[Place]:
        """Stand at the end of a run's line."""
        place = Place()
        line = self._runs.setdefault(run, [])
        line.append(place)
        try:
            yield place
        finally:
            line.remove(place)
            if not line:
                del self._runs[run]
            self._has_changed.set()

    def may_use_disk(self, run: Run, place: Place) -> bool:
        """Tell whether each append before this one was handed to the disk's writer."""
        return all(before.is_with_disk for before in self._before(run, place))

    async def first(self, run: Run, place: Place) -> None:
        """Wait until no append of the run is before this one; each ends by the timeout of the disk or of memory."""
        while self._before(run, place):
            self._has_changed.clear()
            await self._has_changed.wait()

    def _before(self, run: Run, place: Place) -> list[Place]:
        line = self._runs[run]
        return line[: line.index(place)]
