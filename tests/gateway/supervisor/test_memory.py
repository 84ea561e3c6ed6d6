import os
import subprocess
import sys

from gateway.supervisor.memory import DATA_FACTOR, MIB, limit_data, resident_bytes


def test_memory_in_use_is_what_the_kernel_says_and_none_for_a_process_that_has_gone() -> None:
    own = resident_bytes(os.getpid())
    assert own is not None
    assert 10 * MIB < own < 4096 * MIB
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert resident_bytes(gone.pid) is None


GREEDY = "import sys\nsys.stdin.readline()\nheld = bytearray(int(sys.argv[1]))\n"


def allocate(size_bytes: int, cap_mib: int | None) -> int:
    """Let a child allocate so much in one go, far faster than any look at it; returns its exit code."""
    child = subprocess.Popen(
        [sys.executable, "-c", GREEDY, str(size_bytes)], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    if cap_mib is not None:
        limit_data(child.pid, cap_mib)
    child.communicate(b"\n", timeout=30)
    return child.returncode


def test_what_grows_faster_than_it_is_looked_at_is_refused_memory_by_the_kernel() -> None:
    assert allocate(DATA_FACTOR * 96 * MIB + MIB, 96) == 1
    assert allocate(48 * MIB, 96) == 0


def test_without_the_limit_it_would_have_got_it() -> None:
    assert allocate(DATA_FACTOR * 96 * MIB + MIB, None) == 0


def test_a_child_that_has_gone_is_nobodys_fault() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    limit_data(gone.pid, 96)
