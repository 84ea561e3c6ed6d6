"""How much may wait between the connection's thread and the event loop: by number and by size. Thread-safe."""

import threading


class Room:
    """Room for so many messages and bytes; what does not fit is refused, never waited for.

    Args:
        messages: so many.
        size_bytes: of so much content.
    """

    def __init__(self, messages: int, size_bytes: int) -> None:
        self._lock = threading.Lock()
        self._messages = messages
        self._size_bytes = size_bytes

    def take(self, size_bytes: int) -> bool:
        """Take a message in; False if it does not fit."""
        with self._lock:
            if self._messages < 1 or self._size_bytes < size_bytes:
                return False
            self._messages -= 1
            self._size_bytes -= size_bytes
            return True

    def leave(self, size_bytes: int) -> None:
        """Give back what a message took."""
        with self._lock:
            self._messages += 1
            self._size_bytes += size_bytes
