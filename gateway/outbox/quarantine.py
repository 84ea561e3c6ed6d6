"""Batches set aside in a side file: refused by the cloud for ever, or damaged. Kept for a person to look at.

Append-only, so that nothing of the database depends on it: a frame is written and synced before the transaction that
takes the batch away commits. A crash between the two leaves a frame too many, never one too few. What is set aside is
declared a gap at once: data that is repaired and sent later wins over the declaration.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.outbox.durable_files import sync_folder

MAX_BATCHES = 1000
"""About 7 MB of ordinary batches: a whole day of one broken driver would not fit, and one shows the fault as well."""
MAX_BYTES = 32 * 1024 * 1024
"""A hundredth of the smallest card in use. Both caps are of the file and the one before it together."""

_MAGIC = b"PTQ1"
_HEAD = struct.Struct("<4sIII")


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
        header = {key: getattr(item, key) for key in ("stream_id", "first_seq", "last_seq", "reason", "at_ns")}
        text = json.dumps(header).encode()
        body = text + item.data
        is_new = not self._path.exists()
        if not is_new and (self._count(self._path) * 2 >= MAX_BATCHES or self._path.stat().st_size * 2 >= MAX_BYTES):
            self._path.replace(self._before)
            self._counts[self._before] = self._counts.pop(self._path)
            is_new = True
        before = self._count(self._path)
        with self._path.open("ab") as file:
            file.write(_HEAD.pack(_MAGIC, len(text), len(body), zlib.crc32(body)) + body)
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
            self._counts[path] = sum(1 for _ in read(path))
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
        if len(body) == size and zlib.crc32(body) == crc:
            yield SetAside(**json.loads(body[:header_size]), data=body[header_size:])
            at += _HEAD.size + size
        else:
            at += 1
        at = text.find(_MAGIC, at)
