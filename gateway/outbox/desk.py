"""The asynchronous side of one writer's thread: a bounded queue, a timeout, and whether the thread is stuck."""

import asyncio
from typing import Any, TypeVar

from contracts.errors import LinkError
from gateway.outbox.job import Job
from gateway.outbox.ports import OutboxClock
from gateway.outbox.writer import Writer

MAX_JOBS = 1024
"""Jobs waiting for the thread: 16 appends of each of 32 drivers and the uplink's, with room to spare; others wait."""
OPENING_TIMEOUT_S = 30.0
"""Wait for a database that is still being opened: a check of 64 MB takes 10 s on a slow card. A salvage takes longer;
then new records are kept in memory meanwhile."""
CLOSE_TIMEOUT_S = 5.0

Result = TypeVar("Result")


class Desk:
    """See the module.

    Args:
        writer: the thread.
        clock: time of the device.
        timeout_s: longest wait for an answer once the database is open, s.
    """

    def __init__(self, writer: Writer, clock: OutboxClock, timeout_s: float) -> None:
        self.writer = writer
        self._clock = clock
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(MAX_JOBS)
        self._in_line: list[tuple[Job[Any], asyncio.Future[Any]]] = []

    @property
    def is_stuck(self) -> bool:
        """The thread has been in one transaction for longer than anybody waits for it."""
        since = self.writer.report.busy_since
        return since is not None and self._clock.mono_s() - since >= self._timeout_s

    async def do(self, job: Job[Result], *, is_in_line: bool = False) -> Result:
        """Have a job done.

        Args:
            job: what to do.
            is_in_line: ``give_up_line`` ends the waiting for it.

        Raises:
            LinkError: the disk failed, or did not answer in time; the job is then given up: it has not begun, or is
                undone unless its commit is under way.
            PeerError: of the job.
        """
        timeout_s = self._timeout_s if self.writer.report.is_open else max(self._timeout_s, OPENING_TIMEOUT_S)
        try:
            async with asyncio.timeout(timeout_s), self._slots:
                self.writer.submit(job)
                answer = asyncio.wrap_future(job.future)
                return await (self._stand(job, answer) if is_in_line else answer)
        except TimeoutError as exc:
            if not job.give_up():
                return await asyncio.wrap_future(job.future)
            hint = "the disk may be failing"
            raise LinkError("use outbox", "database", f"no answer in {timeout_s:g} s", hint, "disk") from exc
        except asyncio.CancelledError as exc:
            task = asyncio.current_task()
            if not job.is_given_up or (task is not None and task.cancelling()):
                raise
            raise LinkError("use outbox", "database", "no answer to an append before it", "", "disk") from exc

    def give_up_line(self) -> None:
        """End the waiting of all that stand in line: one before them had no answer, and none may pass another.

        What is done already keeps its answer.
        """
        for job, answer in self._in_line:
            if not answer.done() and job.give_up():
                answer.cancel()

    async def close(self, last: Job[Result]) -> None:
        """Do a last job and end the thread; gives up on one that is stuck.

        Raises:
            LinkError: the job could not be done.
        """
        try:
            await self.do(last)
        finally:
            if not self.is_stuck:
                await asyncio.to_thread(self.writer.join, CLOSE_TIMEOUT_S)

    async def _stand(self, job: Job[Result], answer: asyncio.Future[Result]) -> Result:
        entry = (job, answer)
        self._in_line.append(entry)
        try:
            return await answer
        finally:
            self._in_line.remove(entry)
