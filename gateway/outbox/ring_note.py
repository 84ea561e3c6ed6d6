"""A note beside the database of how far the ring's streams are: what a crash would take is then known by number.

The ring lives when the disk does not take the database; a few kilobytes that were written before can often be written
again all the same (a full disk, a broken database). Where they cannot, the cloud knows the streams from the status,
and what is missing of them is an unexplained hole that raises its alarm. At most a second of numbers is behind.
"""

import threading
from collections.abc import Mapping
from pathlib import Path

from gateway.outbox.mark import Numbers
from gateway.outbox.mark_file import MarkFile, read_mark


def note_path(database: Path) -> Path:
    """Return where the note of a database lies."""
    return database.with_name(f"{database.stem}.ring")


class RingNote:
    """The note.

    Args:
        database: path of the database.
    """

    def __init__(self, database: Path) -> None:
        self._path = note_path(database)
        self._file = MarkFile(self._path)
        self._writing: threading.Thread | None = None
        self.left: Mapping[str, Numbers] = {
            name: item for name, item in read_mark(self._path).streams.items() if item.next_seq > item.floor
        }
        """Streams of a ring that an earlier process did not live to move; carried on until they are declared."""

    def write(self, numbers: Mapping[str, Numbers]) -> None:
        """Write the numbers, on a thread of its own, unless the last writing has not come back from the disk."""
        if self._writing is None or not self._writing.is_alive():
            content = {**self.left, **numbers}
            # not the loop's executor: a thread that is stuck in a dead disk there would hold up the gateway's end
            self._writing = threading.Thread(target=self._file.write, args=(content,), name="ring-note", daemon=True)
            self._writing.start()

    def remove(self) -> None:
        """Take the note back: the ring is on the disk; on the writer's thread."""
        if self._writing is not None:
            self._writing.join()
        self._file.close()
        self._path.unlink(missing_ok=True)
