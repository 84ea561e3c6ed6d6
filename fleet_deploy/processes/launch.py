"""``launch.py PARENT_PID PROGRAM ARGUMENT…``: become PROGRAM, and end when the parent ends.

The kernel sends SIGTERM at the parent's death (Linux ``PR_SET_PDEATHSIG``), which survives ``exec``: so a supervisor
that is killed with SIGKILL leaves nothing behind. A helper and not ``preexec_fn``, which may deadlock where threads
run. Loads nothing but the standard library.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
EXIT_PARENT_GONE = 75
EXIT_NO_PROGRAM = 127


def main(arguments: list[str]) -> int:
    """Replace this process; returns only if that failed."""
    parent, program, *rest = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it died before the kernel was asked
        return EXIT_PARENT_GONE
    try:
        os.execvp(program, [program, *rest])  # noqa: S606 - replacing this process, by a list and without a shell
    except OSError as exc:
        sys.stderr.write(f"cannot start {program}: {exc.strerror}\n")
    return EXIT_NO_PROGRAM


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
