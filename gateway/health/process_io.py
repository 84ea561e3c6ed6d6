"""What a process has had written to storage, as the kernel counts it.

*Source:* Linux proc(5), ``/proc/PID/io``: ``write_bytes``, counted when a page is made dirty. What is thrown away
before it is written counts too: ``cancelled_write_bytes`` is not taken off, because it may be of another process.
"""

from pathlib import Path

_NAME = b"write_bytes:"


def written_bytes(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Return the bytes, None where it cannot be known (the process has gone, is another user's, or no procfs).

    Args:
        pid: of the process.
        proc: where procfs is mounted.
    """
    try:
        lines = (proc / str(pid) / "io").read_bytes().splitlines()
        return next((int(line[len(_NAME) :]) for line in lines if line.startswith(_NAME)), None)
    except (OSError, ValueError):
        return None
