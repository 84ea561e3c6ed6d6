"""Short work with the disk that must hold up nobody: one piece at a time on a thread of its own, with a timeout.

Not the event loop's executor: a thread that is stuck in a dead disk there would hold up the gateway's end, and a few of
them everything else that uses the executor.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from contracts.errors import LinkError

TIMEOUT_S = 5.0
"""A card that collects its garbage answers within two seconds; what is written here is a few kilobytes."""
LOOK_S = 0.02
"""Between looks whether the piece before has ended; seldom is there one."""

Result = TypeVar("Result")


class SideThread:
    """See the module.

    Args:
        name: of the threads, and of the work in errors.
        timeout_s: longest wait for one piece.
    """

    def __init__(self, name: str, timeout_s: float = TIMEOUT_S) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._last: Future[Any] | None = None
        self._is_stuck = False

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do a piece of work; its own errors pass through.

        Raises:
            LinkError: it did not end in time and is left to itself, or one before it has not ended yet (reason
                ``disk``).
        """
        if self._is_stuck and self._is_busy():
            raise self._error("the disk has not answered since an earlier attempt")
        self._is_stuck = False
        try:
            async with asyncio.timeout(self._timeout_s):
                # whoever waited for the last may have been cancelled: its thread goes on, with the same file
                while self._is_busy():  # noqa: ASYNC110 - a thread, not a task
                    await asyncio.sleep(LOOK_S)
                future: Future[Result] = Future()
                self._last = future
                threading.Thread(target=_run, args=(work, future), name=self._name, daemon=True).start()
                return await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError as exc:
            self._is_stuck = True
            raise self._error(f"no answer in {self._timeout_s:g} s") from exc

    def _is_busy(self) -> bool:
        return self._last is not None and not self._last.done()

    def _error(self, cause: str) -> LinkError:
        return LinkError("write", self._name, cause, "the disk may be failing", "disk")


def _run(work: Callable[[], Result], future: Future[Result]) -> None:
    try:
        future.set_result(work())
    except BaseException as exc:  # noqa: BLE001 - it belongs to whoever waits
        future.set_exception(exc)
