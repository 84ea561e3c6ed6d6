"""Waiting for a file descriptor in the running loop: what the serial and the UDP link share."""

import asyncio
from collections.abc import Callable


class ReadableDescriptor:
    """Wakes one reader when a descriptor has something to read, without a thread and without polling.

    Args:
        fileno: an open, non-blocking descriptor that the loop can watch (tty, socket).
    """

    def __init__(self, fileno: int) -> None:
        self._fileno = fileno
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Return once a read would not block (data, end of file or an error)."""
        waiter = self._waiter = self._loop.create_future()
        self._loop.add_reader(self._fileno, self._wake)
        try:
            await waiter
        finally:
            self._loop.remove_reader(self._fileno)
            self._waiter = None

    def release(self) -> None:
        """Stop watching, before the descriptor is closed; a reader that waits is woken and finds it closed."""
        self._loop.remove_reader(self._fileno)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def read_ready(descriptor: ReadableDescriptor, read: Callable[[], bytes | None]) -> bytes:
    """Return what ``read`` gives as soon as it gives something.

    Args:
        descriptor: what to wait for.
        read: reads without blocking; None if there was nothing to read after all.
    """
    while True:
        data = read()
        if data is not None:
            return data
        await descriptor.wait()
