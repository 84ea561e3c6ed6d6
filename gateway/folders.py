"""The two folders of a gateway, kept for itself alone: what it keeps on disk, and what is worthless after a boot."""

import fcntl
import os
from pathlib import Path

import structlog

from contracts.errors import LinkError
from edge_agent.handover.source_lock import SourceLock

log = structlog.get_logger()


class Folders:
    """See the module.

    Args:
        data_dir: on the disk.
        run_dir: in memory, or below the other.
    """

    def __init__(self, data_dir: Path, run_dir: Path) -> None:
        self._data_dir = data_dir
        self._run_dir = run_dir
        self._lock = SourceLock(run_dir / "_gateway.lock")
        self._handle: int | None = None

    def take(self, pid: int) -> None:
        """Make them and keep other gateways off; a disk that takes nothing is no reason not to start.

        Args:
            pid: of this process, for whoever asks who holds the lock.

        Raises:
            LinkError: ``run_dir`` cannot be used, or another gateway uses one of them.
        """
        self._take_data()
        try:
            self._run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            hint = "run_dir (by default below data_dir) must be writable for the gateway"
            raise LinkError("use run_dir", str(self._run_dir), exc.strerror or str(exc), hint, "disk") from exc
        if not self._lock.try_acquire(pid):
            raise _used("run_dir", self._run_dir)

    def release(self) -> None:
        """Let others have them."""
        self._lock.release()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _take_data(self) -> None:
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(self._data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _used("data_dir", self._data_dir) from None
        except OSError as exc:
            hint = "check the disk; records are kept in memory meanwhile"
            log.error("data_dir_unusable", path=str(self._data_dir), cause=exc.strerror or str(exc), hint=hint)


def _used(setting: str, folder: Path) -> LinkError:
    hint = "stop that one, or give this one folders of its own"
    return LinkError(f"use {setting}", str(folder), "another gateway uses it", hint, "busy")
