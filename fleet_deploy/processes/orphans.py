"""Processes whose parent died: adopt them, so that they can be ended and never pile up as zombies.

A driver outlives a killed gateway on purpose (docs/handover.md), in a session of its own. As child subreaper (Linux)
this process becomes their parent then, and knows them without guessing by name.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Collection
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
MAX_ROUNDS = 20
"""An orphan's own children are adopted when it dies; our trees are two deep, so only a fork bomb takes more rounds."""


def become_subreaper() -> bool:
    """Make this process the parent of its orphaned descendants; returns whether the system can do that."""
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def adopted(own: Collection[int], proc: Path = Path("/proc")) -> list[int]:
    """Return the children of this process that it did not start itself.

    Args:
        own: pids that it did start.
        proc: where processes are listed.
    """
    me = os.getpid()
    numbered = [entry for entry in proc.iterdir() if entry.name.isdigit() and int(entry.name) not in own]
    return sorted(int(entry.name) for entry in numbered if _parent_of(entry) == me)


def reap(pids: Collection[int]) -> int:
    """Take note of those that have ended, so that the kernel forgets them; returns how many."""
    count = 0
    for pid in pids:
        try:
            count += os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            continue
    return count


def end_adopted(own: Collection[int]) -> int:
    """SIGKILL every adopted process until there is none; returns how many were ended."""
    ended: set[int] = set()
    for _ in range(MAX_ROUNDS):
        orphans = adopted(own)
        if not orphans:
            break
        for pid in orphans:
            ended.add(pid)
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue
    return len(ended)


def _parent_of(entry: Path) -> int | None:
    try:
        text = (entry / "stat").read_text()
    except OSError:
        return None
    # pid (name) state ppid …: the name may hold blanks and brackets, so read from its last bracket
    return int(text.rpartition(")")[2].split()[1])
