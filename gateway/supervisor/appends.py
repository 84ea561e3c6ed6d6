"""What one driver has sent and has no answer for: handed to the store as it comes, answered in order.

Appends do not wait for each other: they share the store's group commit. One at a time, a record would wait for the
group before to be committed and then for its own, half as long again as a group takes. The store refuses what would
leave a hole, and the first append that fails ends the connection, so that a failed commit is never passed over by a
later one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from contracts.records import Observation
from gateway.outbox.models import Appended
from gateway.supervisor.ports import ObservationStore

APPEND_INTERVAL_S = 0.02
"""Shortest time between two appends: frames that come meanwhile go together, so that a driver that sends each message
by itself costs the gateway fifty appends a second at most. It is also what an alarm may wait for."""
MAX_APPENDS = 16
"""Appends under way: as many as fit into the longest group commit (250 ms). Behind a slower disk the observations
gather here, and go in few large appends."""


_Entry = tuple[asyncio.Task[Appended], list[Observation]]


class Answer(Protocol):
    """Told what is stored now: its last number and whether it is on disk, and the observations that came to it."""

    def __call__(self, appended: Appended, items: list[Observation]) -> Awaitable[None]:
        """Answer the driver."""
        ...


class Appends:
    """See the module.

    Args:
        append: stores observations that end with a number of the run; see ``ObservationStore.append``.
        stored_no: last number that is on disk.
    """

    def __init__(self, append: Callable[[int, list[Observation]], Awaitable[Appended]], stored_no: int) -> None:
        self._append = append
        self._taken_no = stored_no
        self._waiting: list[Observation] = []
        self._under_way = 0
        self._has_items = asyncio.Event()
        self._has_changed = asyncio.Event()
        self._answers: asyncio.Queue[tuple[asyncio.Task[Appended], list[Observation]] | None] = asyncio.Queue(
            MAX_APPENDS
        )
        self._is_ended = False

    @property
    def held(self) -> int:
        """Observations that are not on disk yet."""
        return len(self._waiting) + self._under_way

    def put(self, items: list[Observation]) -> None:
        """Take over what the driver has sent."""
        self._waiting += items
        self._has_items.set()

    def end(self) -> None:
        """Say that nothing more will come; ``run`` returns when the rest is answered."""
        self._is_ended = True
        self._has_items.set()

    async def progress(self) -> None:
        """Wait until something is on disk."""
        self._has_changed.clear()
        await self._has_changed.wait()

    async def run(self, answer: Answer) -> None:
        """Store and answer until ``end``.

        Raises:
            ExceptionGroup: of what the store raises.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._answer_forever(answer), name="handover-answers")
            while await self._next():
                items, self._waiting = self._waiting, []
                self._taken_no += len(items)
                self._under_way += len(items)
                stored = tasks.create_task(_awaited(self._append(self._taken_no, items)), name="handover-append")
                await self._answers.put((stored, items))
                await asyncio.sleep(APPEND_INTERVAL_S)
            await self._answers.put(None)

    async def _next(self) -> bool:
        while not self._waiting:
            if self._is_ended:
                return False
            self._has_items.clear()
            await self._has_items.wait()
        return True

    async def _answer_forever(self, answer: Answer) -> None:
        while (entry := await self._answers.get()) is not None:
            stored, items = entry
            appended = await stored
            self._under_way -= len(items)
            self._has_changed.set()
            await answer(appended, items)


def appends_of(store: ObservationStore, source: str, run_id: str, stored_no: int) -> Appends:
    """Return the appends of one run of a driver."""
    return Appends(lambda last_no, items: store.append(source, run_id, last_no, items), stored_no)


async def _awaited(work: Awaitable[Appended]) -> Appended:
    return await work
