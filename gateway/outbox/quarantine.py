"""Batches set aside in a side file: refused by the cloud for ever, or damaged. Kept for a person to look at.

Append-only, so that nothing of the database depends on it: a frame is written and synced before the transaction that
takes the batch away commits. A crash between the two leaves a frame too many, never one too few. What is set aside is
declared a gap at once: data that is repaired and sent later wins over the declaration.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from gateway.outbox.durable_files import sync_folder

MAX_BATCHES = 1000
"""About 7 MB of ordinary batches: a whole day of one broken driver would not fit, and one shows the fault as well."""
MAX_BYTES = 32 * 1024 * 1024
"""A hundredth of the smallest card in use. Both caps are of the file and the one before it together."""

_MAGIC = b"PTQ1"
_HEAD = struct.Struct("<4sIII")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SetAside:
    """One frame of the file."""

    stream_id: str
    first_seq: int
    last_seq: int
    reason: str
    at_ns: int
    data: bytes


class Quarantine:
    """The side file and the one before it (``.1``); on the writer thread.

    Args:
        path: the file; made when it is needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = path.with_name(path.name + ".1")
        self._counts: dict[Path, int] = {}

    def put(self, item: SetAside) -> None:
        """Append a batch and sync it; at half of a cap the file becomes the one before, and the one before goes.

        Raises:
            OSError: it is not on disk.
        """
        frame = _pack(item)
        is_new = not self._path.exists()
        if not is_new and (self._count(self._path) * 2 >= MAX_BATCHES or self._path.stat().st_size * 2 >= MAX_BYTES):
            self._path.replace(self._before)
            self._counts[self._before] = self._counts.pop(self._path)
            is_new = True
        before = self._count(self._path)
        with self._path.open("ab") as file:
            file.write(frame)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self._path.parent)
        self._counts[self._path] = before + 1

    def count(self) -> int:
        """Return how many batches are set aside."""
        return self._count(self._path) + self._count(self._before)

    def _count(self, path: Path) -> int:
        if path not in self._counts:
            found = list(read(path))
            self._counts[path] = len(found)
            size_bytes = path.stat().st_size if path.exists() else 0
            if (damaged_bytes := size_bytes - sum(len(_pack(item)) for item in found)) > 0:
                log.warning("quarantine_damaged", file=path.name, damaged_bytes=damaged_bytes, whole=len(found))
        return self._counts[path]


def read(path: Path) -> Iterator[SetAside]:
    """Return what is whole in a file; frames that are damaged are passed over, by the next mark of a frame."""
    try:
        text = path.read_bytes()
    except OSError:
        return
    at = text.find(_MAGIC)
    while at >= 0 and at + _HEAD.size <= len(text):
        _, header_size, size, crc = _HEAD.unpack_from(text, at)
        body = text[at + _HEAD.size : at + _HEAD.size + size]
        if len(body) == size and zlib.crc32(body, header_size) == crc:
            yield SetAside(**msgspec.json.decode(body[:header_size]), data=body[header_size:])
            at += _HEAD.size + size
        else:
            at += 1
        at = text.find(_MAGIC, at)


def _pack(item: SetAside) -> bytes:
    """Return a frame: head (magic, length of the header, length of all, CRC-32 of both), header, data."""
    names = ("stream_id", "first_seq", "last_seq", "reason", "at_ns")
    header = msgspec.json.encode({name: getattr(item, name) for name in names})
    body = header + item.data
    # the length of the header seeds the checksum, so that it is covered by it
    return _HEAD.pack(_MAGIC, len(header), len(body), zlib.crc32(body, len(header))) + body
