"""Log files of bounded size, for processes that only know how to append to theirs.

At the cap the content is copied to ``NAME.1``, which replaces the one before, and the file is cut to nothing; a process
that appends (``O_APPEND``) goes on at its new end. Lines written between copy and cut are lost: a few microseconds of a
demonstration's log, the price of working with programs that cannot be told to open their log again.
"""

import os
import shutil
from pathlib import Path

MAX_LOG_BYTES = 4 * 1024 * 1024
"""Two files of it a process: hours of a healthy one. Looked at every two seconds: a shouting one passes it by that."""
TAIL_BYTES = 4096


def trim_log(path: Path, cap_bytes: int = MAX_LOG_BYTES) -> bool:
    """Set a log aside if it is over ``cap_bytes``; returns whether it was. A log that is not there is under the cap.

    Raises:
        OSError: the copy cannot be written (disk full); the log is then cut without one, since it would grow for ever.
    """
    try:
        if path.stat().st_size <= cap_bytes:
            return False
    except FileNotFoundError:
        return False
    try:
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    finally:
        os.truncate(path, 0)
    return True


def last_lines(path: Path, count: int = 5) -> list[str]:
    """Return the end of a log, oldest line first; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]
