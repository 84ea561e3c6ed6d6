"""A process that stands in for a driver that leaks: it takes the source's lock, speaks the real hand-over, and grows.

Run as ``python -m tests.support.leaking_driver SOCKET SOURCE``. It waits for the lock of the source, so that it follows
a driver that is killed; the gateway finds the lock held and adopts it as it adopts any driver. It beats like a driver
that is well and holds ever more memory.
"""

import fcntl
import os
import socket
import sys
import time
from pathlib import Path

from edge_agent.handover.protocol import Heartbeat, Hello, encode_frame
from edge_agent.handover.source_lock import lock_path

STEP_BYTES = 8 * 1024 * 1024
STEP_S = 0.1


def main(path: Path, source: str) -> None:
    lock = os.open(lock_path(path, source), os.O_RDWR | os.O_CREAT, 0o600)
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    fcntl.flock(lock, fcntl.LOCK_EX)
    text = f"{os.getpid()}\n".encode()
    os.pwrite(lock, text, 0)
    os.ftruncate(lock, len(text))
    gateway = socket.socket(socket.AF_UNIX)
    gateway.connect(str(path))
    gateway.sendall(encode_frame(Hello(source=source, run_id=f"leak{os.getpid()}", pid=os.getpid())))
    held = []
    while True:
        held.append(b"\1" * STEP_BYTES)
        gateway.sendall(encode_frame(Heartbeat(is_link_up=True)))
        time.sleep(STEP_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
