"""The file of the mark: written after each commit, read at the start.

Not synced: after a power cut the mark may be behind, which is harmless, but never ahead, because it follows the synced
commit; and where the kernel lives on, it is exact. Written again and again to the same two pages, it costs the disk
what the kernel's own write-back makes of it: 4 KiB every half minute. A mark that cannot be written is told once and
does not hold up a commit.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import structlog

from gateway.outbox.mark import FILE_BYTES, SLOT_BYTES, Mark, Numbers, pack_slot, unpack

log = structlog.get_logger()


def mark_path(database: Path) -> Path:
    """Return where the mark of a database lies."""
    return database.with_name(f"{database.stem}.mark")


def read_mark(path: Path) -> Mark:
    """Return what the newest whole slot says; nothing where there is none."""
    return unpack(_read(path))[1]


class MarkFile:
    """The writer's hand on the file; on the writer thread.

    Args:
        path: the file; made, with both slots, when it is first written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self._turn = 0
        self._is_in_trouble = False

    def write(self, streams: Mapping[str, Numbers]) -> None:
        """Write the numbers of the streams, those of this database first: as many as a slot holds."""
        try:
            if self._handle is None:
                self._open()
            if self._handle is not None:
                slot = pack_slot(self._turn + 1, streams)
                os.pwrite(self._handle, slot, (self._turn + 1) % 2 * SLOT_BYTES)
                self._turn += 1
        except OSError as exc:
            self.close()
            if not self._is_in_trouble:
                log.warning("outbox_mark_unwritten", path=str(self._path), cause=exc.strerror or str(exc))
            self._is_in_trouble = True
            return
        if self._is_in_trouble:
            log.info("outbox_mark_written_again", path=str(self._path))
            self._is_in_trouble = False

    def close(self) -> None:
        """Close the file; the next write opens it anew."""
        if self._handle is not None:
            os.close(self._handle)
        self._handle = None

    def _open(self) -> None:
        """Open the file; one that is not whole is made anew."""
        self._turn, mark = unpack(_read(self._path))
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not mark.is_sure:
            os.pwrite(self._handle, b"".join(pack_slot(turn, {}).ljust(SLOT_BYTES, b"\0") for turn in (0, 1)), 0)
            self._turn = 1


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES)
    except OSError:
        return b""
