"""How fast a link may be read: a token bucket of bytes. Sans-io.

A line that is flooded (a wrong device, a broken one, somebody who means it) must not take a processor from the drivers
of the other lines: garbage costs more to look at than sentences. Behind the limit TCP makes the sender wait; the buffer
of a UART or a socket overruns, and the link counts it.
"""

BYTES_PER_S = 512 * 1024
"""Forty times a national AIS feed (12 kB/s) and a serial line at 115,200 Bd, three times a burst of 2,000 messages a
second. Measured: a driver flooded with garbage takes 0.13 to 0.17 of a core, without the limit a whole one."""

BURST_BYTES = 1024 * 1024
"""What gathered in the buffers of kernel and peer while the driver was away, at once."""

_NS = 1_000_000_000


class PacePolicy:
    """Says how long to wait before the next read.

    Args:
        now_ns: monotonic, ns.
    """

    def __init__(self, now_ns: int) -> None:
        self._tokens = float(BURST_BYTES)
        self._at_ns = now_ns

    def took(self, size_bytes: int, now_ns: int) -> None:
        """Note what a read gave.

        Args:
            size_bytes: bytes read.
            now_ns: monotonic, ns, never falling.
        """
        self._refill(now_ns)
        self._tokens -= size_bytes

    def wait_s(self, now_ns: int) -> float:
        """Return how long to wait before reading again, s; 0 while the line is at its ordinary pace.

        Args:
            now_ns: monotonic, ns, never falling.
        """
        self._refill(now_ns)
        return max(0.0, -self._tokens / BYTES_PER_S)

    def _refill(self, now_ns: int) -> None:
        self._tokens = min(BURST_BYTES, self._tokens + (now_ns - self._at_ns) * BYTES_PER_S / _NS)
        self._at_ns = now_ns
