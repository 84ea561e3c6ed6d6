"""What a driver is to the agent process, and what it needs from it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from contracts.payloads import Payload
from edge_agent.clock import Moment
from edge_agent.parsers.register_reads import ReadBlock
from edge_agent.parsers.register_sample import Sample


class Sink(Protocol):
    """Takes observations over. ``put`` never waits; a driver asks for ``room`` before each read of its hardware."""

    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        """Take one observation over; what is refused is counted by the sink.

        Args:
            payload: what was observed.
            raw: the original sentence, where the profile keeps it.
            at: when its bytes were read.
            place: asset that was observed, where one source observes several (units of a bus); else the source's.
        """
        ...

    def watch(self, payload: Payload, at: Moment, place: str | None = None) -> None:
        """Look at a sample that is not worth a record: limits are kept on every sample, published or not.

        Args:
            payload: what was observed.
            at: when its bytes were read.
            place: as in ``put``.
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


class UnitWork(Protocol):
    """What a driver makes of the samples of one PLC beyond what its registers say. Sans-io."""

    def complete(self, sample: Sample) -> Sample:
        """Return the sample with what is computed from its own values."""
        ...

    def observe(self, sample: Sample, at: Moment) -> Sequence[Payload]:
        """Look at every sample, published or not; returns what has come to its end by it (a crane's cycle).

        Args:
            sample: complete.
            at: when it was read.
        """
        ...

    def counts(self) -> Mapping[str, int]:
        """Return what was discarded since the start, by reason."""
        ...


class PlcReader(Protocol):
    """The PLCs on one connection or bus, read only. There is no way to write through this port."""

    async def open(self) -> None:
        """Connect.

        Raises:
            LinkError: not reachable within the link's timeout.
        """
        ...

    async def read(self, unit_id: int, block: ReadBlock) -> Sequence[int]:
        """Return ``block.quantity`` registers or bits of one unit.

        Raises:
            LinkError: no answer in time (reason ``timeout``: the connection itself still stands), or the connection
                is gone (any other reason).
            PeerError: the PLC refused the request (reason ``modbus_exception_{code}``) or its answer has another size
                (reason ``modbus_size``).
        """
        ...

    async def close(self) -> None:
        """Disconnect; any number of times."""
        ...
