"""A disk below one folder that fails on command, for a process of the product; see faults.c."""

from enum import Enum
from pathlib import Path

from tests.support.preloading import build_library


class Fault(Enum):
    """What the disk does to every change."""

    NONE = b"\0"
    IO_ERROR = b"e"
    READ_ONLY = b"r"
    HANGS = b"h"


class FaultyDisk:
    """See the module.

    Args:
        folder: what lies on the disk.
        state: file for the state, outside of it.
    """

    def __init__(self, folder: Path, state: Path) -> None:
        self._state = state
        state.write_bytes(Fault.NONE.value)
        library = build_library(Path(__file__).parent / "faults.c")
        self.environment = {
            "LD_PRELOAD": str(library), "DISK_FAULTS_FOLDER": str(folder), "DISK_FAULTS_STATE": str(state),
        }  # fmt: skip
        """For the process."""

    def set(self, fault: Fault) -> None:
        """Change the state, at once and for every process."""
        with self._state.open("r+b") as file:
            file.write(fault.value)
