"""What a driver is to the agent process, and what it needs from it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from contracts.payloads import Payload
from edge_agent.clock import Moment
from edge_agent.parsers.register_reads import ReadBlock


class Sink(Protocol):
    """Takes observations over. ``put`` never waits; a driver asks for ``room`` before each read of its hardware."""

    def put(self, payload: Payload, raw: str | None, at: Moment) -> None:
        """Take one observation over; what is refused is counted by the sink.

        Args:
            payload: what was observed.
            raw: the original sentence, where the profile keeps it.
            at: when its bytes were read.
        """
        ...

    async def room(self) -> None:
        """Wait until what one read of the hardware yields surely fits. May be cancelled at any time."""
        ...


class Session(Protocol):
    """One kind of hardware, as ``Reconnection`` drives it: open, serve until the link fails, close, and again.

    ``open`` and ``serve`` raise ``LinkError`` where a new attempt may help; anything else is a bug.
    """

    @property
    def open_timeout_s(self) -> float:
        """Longest time that ``open`` may take, s."""
        ...

    async def open(self) -> None:
        """Connect to the hardware."""
        ...

    async def serve(self, proven: Callable[[], None]) -> None:
        """Read and put until the link fails; returns once the hardware has nothing more to say for ever.

        Args:
            proven: to be called whenever the hardware has shown that it is there. An open socket alone does not: a
                terminal server accepts while the instrument behind it is off, and a PLC that halts keeps its socket.
        """
        ...

    async def close(self) -> None:
        """Release the hardware and put what was still held; any number of times."""
        ...


class PlcReader(Protocol):
    """A PLC, read only. There is no way to write through this port."""

    async def open(self) -> None:
        """Connect.

        Raises:
            LinkError: not reachable within the link's timeout.
        """
        ...

    async def read(self, block: ReadBlock) -> Sequence[int]:
        """Return ``block.quantity`` registers or bits.

        Raises:
            LinkError: no answer in time, or the connection is gone.
            PeerError: the PLC refused the request (reason ``modbus_exception_{code}``) or its answer has another size
                (reason ``modbus_size``).
        """
        ...

    async def close(self) -> None:
        """Disconnect; any number of times."""
        ...
