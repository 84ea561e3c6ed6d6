"""``python -m edge_agent record``: what a link receives into a file, byte for byte, each line with its arrival time.

The format is that of ``edge_agent.links.timed_line``. The file is appended to, and written line by line, so that a
recording that is cut off is whole up to its last line. A connection that is lost is made again; Ctrl-C ends the
recording. Of datagrams the sentences are recorded: the header of IEC 61162-450 is taken off, a missing line end added.

Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 the link cannot be opened or the file not written, 2 usage.
"""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from pydantic import TypeAdapter, ValidationError

from contracts.errors import LinkError
from edge_agent.backoff import FullJitter
from edge_agent.links.line_recorder import LineRecorder
from edge_agent.links.ports import Link
from edge_agent.links.registry import make_link
from firmware_configs.links import ByteLink

EXIT_FAILED = 1
EXIT_USAGE = 2
RECONNECT_BASE_S = 0.5
RECONNECT_CAP_S = 30.0
SILENCE_S = 1.0
"""What came without a line end is in the file after this long without another byte."""

_LINK: TypeAdapter[ByteLink] = TypeAdapter(ByteLink)

app = typer.Typer(add_completion=False)


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        app(args=arguments, prog_name="python -m edge_agent record")
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else EXIT_USAGE
    return 0


@app.command()
def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="recording, appended to")],
    *,
    serial: Annotated[str | None, typer.Option(metavar="DEV", help="serial port")] = None,
    baud: Annotated[int, typer.Option(metavar="N", help="with --serial")] = 4800,
    tcp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="TCP server to connect to")] = None,
    udp: Annotated[int | None, typer.Option(metavar="PORT", help="local UDP port")] = None,
    group: Annotated[str | None, typer.Option(metavar="G", help="with --udp: multicast group to join")] = None,
    interface: Annotated[str, typer.Option(metavar="ADDRESS", help="with --group: interface to join on")] = "127.0.0.1",
) -> None:
    """Write what a link receives to a file: seconds.fraction SPACE raw, byte for byte; replay plays it again."""
    chosen = [value for value in (serial, tcp, udp) if value is not None]
    if len(chosen) != 1:
        raise _usage("name one of --serial, --tcp, --udp")
    if serial is not None:
        settings: dict[str, object] = {"kind": "serial", "device": serial, "baud": baud}
    elif tcp is not None:
        host, _, port = tcp.rpartition(":")
        settings = {"kind": "tcp", "host": host.strip("[]"), "port": port}
        if not host:
            raise _usage(f"--tcp {tcp}: write HOST:PORT")
    else:
        settings = {"kind": "udp", "port": udp, "group": group, "interface": interface}
    try:
        link = make_link(_LINK.validate_python(settings))
    except ValidationError as exc:
        raise _usage("; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in exc.errors())) from exc
    raise typer.Exit(_record(link, file))


def _usage(text: str) -> typer.Exit:
    sys.stderr.write(f"edge_agent record: {text}\n")
    return typer.Exit(EXIT_USAGE)


def _record(link: Link, file: Path) -> int:
    try:
        with file.open("ab") as out:
            session = RecordingSession(link, out)
            asyncio.run(session.run())
    except LinkError as exc:
        sys.stderr.write(f"edge_agent record: {exc}\n")
        return EXIT_FAILED
    except OSError as exc:
        sys.stderr.write(f"edge_agent record: {file}: {exc.strerror or exc} (check the folder and its free space)\n")
        return EXIT_FAILED
    sys.stderr.write(session.summary())
    return 0


class RecordingSession:
    """Reads one link until a signal; reconnects when the link is lost.

    Args:
        link: where the bytes come from, closed.
        out: the recording, opened for appending.
    """

    def __init__(self, link: Link, out: BinaryIO) -> None:
        self._link = link
        self._out = out
        self._recorder = LineRecorder()
        self._losses = 0

    async def run(self) -> None:
        """Record until SIGINT or SIGTERM.

        Raises:
            LinkError: the link could not be opened even once.
            OSError: the file cannot be written.
        """
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        is_stopping = False

        def stop() -> None:
            nonlocal is_stopping
            is_stopping = True
            if task is not None:
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            await self._link.open()
            await self._read_for_ever()
        except asyncio.CancelledError:
            if not is_stopping:
                raise
        finally:
            await self._link.close()
            self._write(self._recorder.flush())

    def summary(self) -> str:
        """Return what was recorded, for a person: one line."""
        counters = " ".join(f"{name}={count}" for name, count in sorted(self._link.counters.items()))
        lines, losses = self._recorder.lines, self._losses
        return f"recorded: {lines} lines, lost the link {losses} times ({counters or 'nothing came'})\n"

    async def _read_for_ever(self) -> None:
        backoff = FullJitter(RECONNECT_BASE_S, RECONNECT_CAP_S)
        while True:
            try:
                while True:
                    data = await self._read()
                    backoff.reset()
                    self._write(self._recorder.feed(data, time.time_ns()))
            except LinkError as exc:
                self._losses += 1
                sys.stderr.write(f"edge_agent record: {exc}; connecting again\n")
            self._write(self._recorder.flush())
            await self._link.close()
            await self._reopen(backoff)
            sys.stderr.write("edge_agent record: connected again\n")

    async def _read(self) -> bytes:
        """Wait for bytes; a piece without line end is written once nothing follows it."""
        try:
            async with asyncio.timeout(SILENCE_S):
                return await self._link.read()
        except TimeoutError:
            self._write(self._recorder.flush())
        return await self._link.read()

    async def _reopen(self, backoff: FullJitter) -> None:
        while True:
            await asyncio.sleep(backoff.next_s())
            try:
                await self._link.open()
            except LinkError:
                continue  # said once, when the link was lost
            return

    def _write(self, lines: list[bytes]) -> None:
        # in the loop on purpose: nothing else runs in it, and a line must be in the file before the next is read
        for line in lines:
            self._out.write(line)
            self._out.flush()
