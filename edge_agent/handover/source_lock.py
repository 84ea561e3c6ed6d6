"""One driver a source, whatever dies: an exclusive ``flock`` on ``{socket folder}/{source}.lock`` with the pid inside.

The kernel frees the lock with the process, however it ends, so no lock is ever stale. The file itself stays: removing
it would let two processes lock two files of one name.

*Source:* docs/handover.md; Linux flock(2).
"""

import fcntl
import os
from pathlib import Path

from contracts.errors import LinkError

LOCK_TIMEOUT_S = 15.0
"""Longest wait for another driver of this source to end, s."""

LOCK_RETRY_S = 0.1


def lock_path(socket_path: Path, source: str) -> Path:
    """Return the lock file of a source beside the gateway's socket."""
    return socket_path.parent / f"{source}.lock"


class SourceLock:
    """The lock of one source, held from a successful ``try_acquire`` until ``release`` or the end of the process.

    Args:
        path: see ``lock_path``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def try_acquire(self, pid: int) -> bool:
        """Take the lock if it is free; write the holder's pid.

        Args:
            pid: of this process.

        Returns:
            False where another process holds it.

        Raises:
            LinkError: the file cannot be made or written (reason ``unreadable``).
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise self._failed(exc) from exc
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            text = f"{pid}\n".encode()
            os.pwrite(file, text, 0)
            os.ftruncate(file, len(text))
        except BlockingIOError:
            os.close(file)
            return False
        except OSError as exc:
            os.close(file)
            raise self._failed(exc) from exc
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back; any number of times."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _failed(self, exc: OSError) -> LinkError:
        hint = "the folder of the socket must exist and be writable"
        return LinkError("lock source", str(self._path), exc.strerror or str(exc), hint, "unreadable")


def read_holder(path: Path) -> int | None:
    """Return the pid that a lock file names, or ``None``. It says who wrote it last, not whether it still lives.

    Args:
        path: see ``lock_path``.
    """
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
