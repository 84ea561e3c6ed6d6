"""Asks the file system how much of it is free."""

import os
from pathlib import Path

from gateway.outbox.space_policy import DiskSpace


def disk_space(folder: Path) -> DiskSpace | None:
    """Return the size and the free part of the file system that a folder lies on, None if it cannot be told."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return DiskSpace(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)
