"""Reads files whose disk may be failing: a page that cannot be read counts as zeros, and is told."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

SECTOR_BYTES = 512

log = structlog.get_logger()


class Source:
    """One file, read by offset; a missing one is empty.

    Args:
        path: the file.

    Raises:
        OSError: it is there and cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.unreadable_bytes = 0
        self._handle = os.open(path, os.O_RDONLY) if path.exists() else None
        self.size = os.fstat(self._handle).st_size if self._handle is not None else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def read(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes from an offset, fewer at the end of the file."""
        if self._handle is None or at >= self.size:
            return b""
        try:
            return os.pread(self._handle, size, at)
        except OSError as exc:
            if size <= SECTOR_BYTES:
                self._count(exc, size)
                return bytes(min(size, self.size - at))
        half = size // 2
        return self.read(at, half) + self.read(at + half, size - half)

    def _count(self, error: OSError, size: int) -> None:
        if not self.unreadable_bytes:
            log.warning("outbox_file_unreadable", path=str(self._path), cause=error.strerror or str(error))
        self.unreadable_bytes += size
