"""Short work with the disk that must hold up nobody: one piece at a time on a thread of its own, with a timeout.

Not the event loop's executor: a thread that is stuck in a dead disk there would hold up the gateway's end, and a few of
them everything else that uses the executor.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from contracts.errors import LinkError

TIMEOUT_S = 5.0
"""A card that collects its garbage answers within two seconds; what is written here is a few kilobytes."""

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
        self._stuck: Future[object] | None = None

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do a piece of work; its own errors pass through.

        Raises:
            LinkError: it did not end in time and is left to itself, or one before it has not ended yet (reason
                ``disk``).
        """
        if self._stuck is not None and not self._stuck.done():
            raise self._error("the disk has not answered since an earlier attempt")
        future: Future[Result] = Future()
        threading.Thread(target=_run, args=(work, future), name=self._name, daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError as exc:
            self._stuck = future  # type: ignore[assignment] # only whether it is done is asked
            raise self._error(f"no answer in {self._timeout_s:g} s") from exc

    def _error(self, cause: str) -> LinkError:
        return LinkError("write", self._name, cause, "the disk may be failing", "disk")


def _run(work: Callable[[], Result], future: Future[Result]) -> None:
    try:
        future.set_result(work())
    except BaseException as exc:  # noqa: BLE001 - it belongs to whoever waits
        future.set_exception(exc)
