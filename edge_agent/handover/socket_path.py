"""Paths of Unix sockets that are longer than the kernel's address takes.

A socket address holds 107 bytes of path (unix(7)); a data folder may lie deeper. The folder is then opened and the
socket named through its descriptor, which Linux resolves under ``/proc/self/fd``.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_PATH_BYTES = 100
"""Below the 107 bytes of Linux and the 103 of other systems."""


@contextmanager
def short_path(path: Path) -> Iterator[Path]:
    """Yield a path of the same socket that an address can hold, good until the block ends.

    Args:
        path: of the socket; its folder exists.

    Raises:
        OSError: the folder cannot be opened.
    """
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        yield path
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{folder}") / path.name
    finally:
        os.close(folder)
