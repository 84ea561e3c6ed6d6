"""``python -m edge_agent decode``: a log of sentences in, one record a line out, rejects counted on stderr.

Exit codes: 0 the log was read to its end, whatever it held, 1 it cannot be read, 2 usage.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from edge_agent.cli.record_line import json_line, table_line
from edge_agent.links.timed_line import parse_timed
from edge_agent.parsers.nmea_decoder import Decoded, NmeaDecoder

EXIT_UNREADABLE = 1
EXIT_USAGE = 2

LINES_PER_S = 100
"""Supposed pace of a log without times, as in a replay: parts of one AIS message stand at most ten lines apart."""

MAX_LINE_BYTES = 64 * 1024
"""A file without line feeds is read in pieces of this size."""

PROGRESS_FROM_BYTES = 8 * 1024 * 1024
"""A second of work: below it a progress bar only flickers."""

_LINE_NS = 1_000_000_000 // LINES_PER_S

app = typer.Typer(add_completion=False)


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        app(args=arguments, prog_name="python -m edge_agent decode")
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else EXIT_USAGE
    return 0


@app.command()
def decode(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="log of sentences; - is standard input")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON record a line")] = False,
    is_timed: Annotated[
        bool, typer.Option("--timed", help="each line begins with its arrival time: seconds.fraction SPACE raw")
    ] = False,
    is_lenient: Annotated[
        bool, typer.Option("--lenient", help="repair the malformed VDM of GoFree plotters; repairs are counted")
    ] = False,
) -> None:
    """Decode NMEA 0183 and AIS; counts of what was rejected go to stderr."""
    try:
        with _open(file) as log:
            decoder = NmeaDecoder(is_lenient=is_lenient)
            code = _run(log, file, decoder, json_line if as_json else table_line, is_timed=is_timed)
    except BrokenPipeError:
        # the reader of our output has seen enough; nothing more can be written there, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as exc:
        sys.stderr.write(f"edge_agent decode: {file}: {exc.strerror or exc} (check the path and its permissions)\n")
        code = EXIT_UNREADABLE
    raise typer.Exit(code)


def _run(
    log: BinaryIO,
    file: str,
    decoder: NmeaDecoder,
    render: Callable[[Decoded, float | None], bytes],
    *,
    is_timed: bool,
) -> int:
    reader = LogReader(decoder, is_timed=is_timed, is_live=file == "-")
    out = sys.stdout.buffer
    with _progress(file, log) as advance:
        for decoded, at_s in reader.decode(log, advance):
            out.write(render(decoded, at_s))
            if reader.is_live:
                out.flush()
    out.flush()
    sys.stderr.write(reader.summary())
    return 0


class LogReader:
    """Feeds a log to a decoder, line by line, with the time of each line.

    Args:
        decoder: takes the lines.
        is_timed: lines begin with their arrival time.
        is_live: the log is being written: lines without times are timed by the clock as well.
    """

    def __init__(self, decoder: NmeaDecoder, *, is_timed: bool, is_live: bool) -> None:
        self._decoder = decoder
        self._is_timed = is_timed
        self.is_live = is_live
        self._lines = 0
        self._without_time = 0
        self._messages = 0

    def decode(self, log: BinaryIO, advance: Callable[[int], None]) -> Iterator[tuple[Decoded, float | None]]:
        """Yield each payload with its arrival time (s since 1970; None in a log without times).

        Args:
            log: the log.
            advance: told the bytes read.
        """
        now_ns = 0
        at_s: float | None = None
        while line := log.readline(MAX_LINE_BYTES):
            self._lines += 1
            advance(len(line))
            if self._is_timed:
                timed = parse_timed(line)
                if timed is None:
                    self._without_time += 1
                    continue
                at_s, line = timed
                now_ns = max(now_ns, int(at_s * 1e9))
            else:
                now_ns = self._lines * _LINE_NS + (time.monotonic_ns() if self.is_live else 0)
            yield from self._counted(self._decoder.feed(line, now_ns), now_ns, at_s)
        yield from self._counted(self._decoder.close(now_ns), now_ns, at_s)

    def summary(self) -> str:
        """Return what was read and what was not, for a person or a script: three to six lines and the samples."""
        decoder = self._decoder
        lines = [f"decoded: {self._messages} messages of {self._lines} lines\n"]
        if self._without_time:
            lines.append(f"without time: {self._without_time} lines skipped\n")
        lines.append(f"rejected: {_counts(decoder.rejected)}\n")
        lines.extend(f"  {reason}: for example {sample!r}\n" for reason, sample in sorted(decoder.samples.items()))
        lines.append(f"ignored: {_counts(decoder.ignored)}\n")
        lines += [f"used: {_counts(decoder.used)}\n"] if decoder.used else []
        lines += [f"repaired: {_counts(decoder.repaired)}\n"] if decoder.repaired else []
        return "".join(lines)

    def _counted(
        self, decoded: list[Decoded], now_ns: int, at_s: float | None
    ) -> Iterator[tuple[Decoded, float | None]]:
        self._messages += len(decoded)
        for item in decoded:
            # a message of several parts is given once no other can come, and has the time of its last part
            is_held = at_s is not None and item.arrived_ns != now_ns
            yield item, round(item.arrived_ns / 1e9, 6) if is_held else at_s


def _counts(counts: dict[str, int]) -> str:
    return " ".join(f"{name}={count}" for name, count in sorted(counts.items())) or "none"


def _open(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")


class _Bar:
    """Progress on stderr, for a person who waits for a big file."""

    def __init__(self, size_bytes: int) -> None:
        self._progress = Progress(console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("decoding", total=size_bytes)
        self._pending = 0

    def __enter__(self) -> Callable[[int], None]:
        self._progress.start()
        return self._advance

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _advance(self, size_bytes: int) -> None:
        self._pending += size_bytes
        if self._pending >= MAX_LINE_BYTES:
            self._progress.update(self._task, advance=self._pending)
            self._pending = 0


def _progress(file: str, log: BinaryIO) -> AbstractContextManager[Callable[[int], None]]:
    if file != "-" and sys.stderr.isatty() and not sys.stdout.isatty():
        size_bytes = os.fstat(log.fileno()).st_size
        if size_bytes >= PROGRESS_FROM_BYTES:
            return _Bar(size_bytes)
    return nullcontext(lambda _: None)
