"""Free TCP ports of this machine."""

import socket
from contextlib import ExitStack

from contracts.errors import ConfigError, LinkError

LOOPBACK = "127.0.0.1"


def free_ports(count: int, host: str = LOOPBACK) -> list[int]:
    """Return ports that nobody listens on. All are held until the last is known, so that they differ.

    Raises:
        LinkError: the kernel has none left.
    """
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            held = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                held.bind((host, 0))
            except OSError as exc:
                raise LinkError("find free port", host, exc.strerror or str(exc)) from exc
            ports.append(int(held.getsockname()[1]))
        return ports


def check_port(port: int, host: str = LOOPBACK, option: str = "--port") -> None:
    """Refuse a port that is taken.

    Raises:
        ConfigError: somebody listens there, or it may not be used (below 1024 without the right).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError as exc:
            cause = exc.strerror or str(exc)
            raise ConfigError(
                "listen", f"{host}:{port}", cause, f"free it, or give another {option}", "port_taken"
            ) from exc
