"""One demonstration a folder: a lock that the kernel releases whatever ends its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import ConfigError


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs.

    Raises:
        ConfigError: another process holds it (reason ``locked``), or the file cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise ConfigError("lock demonstration", str(path), exc.strerror or str(exc), "check --dir") from exc
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.read(handle, 32).decode(errors="replace").strip()
            cause = f"a demonstration runs here already{f' (process {holder})' if holder else ''}"
            hint = "stop it, or give another --dir"
            raise ConfigError("lock demonstration", str(path.parent), cause, hint, "locked") from exc
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)
