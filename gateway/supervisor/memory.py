"""Memory of a driver process: what it has in use, and a limit of the kernel behind the supervisor's own (ADR 0082).

*Source:* Linux proc(5), ``/proc/PID/statm``, second field; getrlimit(2), ``RLIMIT_DATA`` (since Linux 4.7: private
writable mappings).
"""

import os
import resource
from contextlib import suppress
from pathlib import Path

MIB = 1024 * 1024

DATA_FACTOR = 2
"""The kernel refuses memory at twice the cap: what leaks so fast that no look at it comes in time fails by itself, and
an arena or a thread's stack that is reserved and not used kills nobody."""

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int) -> int | None:
    """Return what a process has in memory now, bytes; None where it cannot be known (it has gone, or no procfs).

    Args:
        pid: of the process.
    """
    try:
        fields = Path(f"/proc/{pid}/statm").read_bytes().split()
        return int(fields[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return None


def limit_data(pid: int, cap_mib: int) -> None:
    """Set the kernel's limit for a child that has just been started; nothing where the system has no such call.

    Args:
        pid: of the child.
        cap_mib: cap of its resident memory, MiB.
    """
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is None:
        return
    limit = DATA_FACTOR * cap_mib * MIB
    with suppress(ProcessLookupError, PermissionError):  # it has ended already; the supervisor's own look remains
        prlimit(pid, resource.RLIMIT_DATA, (limit, limit))
