"""A recording as a source of bytes: at its own pace, a multiple of it, or as fast as it is read.

Files are read in a worker thread, a block of lines at a time: storage may stall. A ``read`` that is cancelled
loses nothing: the block that the thread reads is taken by the next one.
"""

import asyncio
from collections import Counter, deque
from typing import BinaryIO

from contracts.errors import LinkError
from edge_agent.links.timed_line import parse_timed
from firmware_configs.links import ReplayLink as ReplayLinkConfig

MAX_READ_BYTES = 64 * 1024
"""The port's contract, and the longest line: a file without line feeds is cut into pieces of this size."""

BLOCK_LINES = 500
"""Lines read ahead: a second of a fast replay, 32 MiB if every one is of the longest."""

_LINE_END = b"\r\n"


class ReplayLink:
    """``Link`` over a file. A timed recording comes out byte for byte, lines without times end with CR LF.

    Lines of a timed recording that have no time are skipped and counted as ``bad_time``.
    """

    def __init__(self, config: ReplayLinkConfig) -> None:
        self._config = config
        self._file: BinaryIO | None = None
        self._ahead: deque[tuple[float, bytes]] = deque()
        self._block: asyncio.Task[list[bytes]] | None = None
        self._must_rewind = False
        self._is_at_end = False
        self._lines_read = 0
        self._recorded_from_s: float | None = None
        self._begun_s = 0.0
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> dict[str, int]:
        """Totals: ``bytes``, ``lines``, ``bad_time``."""
        return dict(self._counters)

    async def open(self) -> None:
        """Open the recording at its beginning.

        Raises:
            LinkError: reason ``open_failed``.
        """
        await self.close()
        try:
            self._file = await asyncio.to_thread(self._config.path.open, "rb")
        except OSError as exc:
            raise LinkError(
                "open recording", str(self._config.path), exc.strerror or str(exc), "check the path", "open_failed"
            ) from exc
        self._begin_round()

    async def read(self) -> bytes:
        """Wait until the next line is due; return all lines that are, at most 64 KiB, or ``b""`` at the end.

        Raises:
            LinkError: reason ``closed`` (not open), ``lost`` (unreadable) or ``empty`` (nothing to repeat).
        """
        if not self._ahead:
            await self._read_ahead()
        if not self._ahead:
            return b""
        if self._config.speed > 0:
            delay_s = self._due_s(self._ahead[0][0]) - self._now_s()
            if delay_s > 0:
                await asyncio.sleep(delay_s)
        return self._take_due()

    async def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        block, self._block = self._block, None
        self._ahead.clear()
        if block is not None:
            # a block nobody waits for any more: its failure, if any, concerns nobody
            await asyncio.gather(block, return_exceptions=True)
        if file is not None:
            await asyncio.to_thread(file.close)

    def _begin_round(self) -> None:
        self._must_rewind = True
        self._is_at_end = False
        self._lines_read = 0
        self._recorded_from_s = None
        self._begun_s = self._now_s()

    async def _read_ahead(self) -> None:
        subject = str(self._config.path)
        while not self._ahead:
            file = self._file
            if file is None:
                raise LinkError("read recording", subject, "not open", "", "closed")
            if self._is_at_end:
                if not self._config.repeat:
                    return
                if self._lines_read == 0:
                    raise LinkError("repeat recording", subject, "it holds no line", "", "empty")
                self._begin_round()
            lines = await self._next_block(file)
            self._is_at_end = len(lines) < BLOCK_LINES
            self._ahead.extend(timed for line in lines if (timed := self._timed(line)) is not None)

    async def _next_block(self, file: BinaryIO) -> list[bytes]:
        if self._block is None:
            work = asyncio.to_thread(_read_block, file, must_rewind=self._must_rewind)
            self._must_rewind = False
            self._block = asyncio.create_task(work, name=f"replay {self._config.path.name}")
        try:
            lines = await asyncio.shield(self._block)
        except (OSError, ValueError) as exc:
            self._block = None
            raise LinkError("read recording", str(self._config.path), str(exc), "", "lost") from exc
        self._block = None
        return lines

    def _timed(self, line: bytes) -> tuple[float, bytes] | None:
        if not self._config.is_timed:
            self._lines_read += 1
            return (self._lines_read - 1) / self._config.lines_per_s, line.rstrip(_LINE_END) + _LINE_END
        parsed = parse_timed(line)
        if parsed is None:
            self._counters["bad_time"] += 1
            return None
        self._lines_read += 1
        at_s, raw = parsed
        if self._recorded_from_s is None:
            self._recorded_from_s = at_s
        return at_s - self._recorded_from_s, raw

    def _take_due(self) -> bytes:
        now_s = self._now_s()
        taken: list[bytes] = []
        size = 0
        while self._ahead:
            offset_s, line = self._ahead[0]
            is_due = self._config.speed == 0 or self._due_s(offset_s) <= now_s
            if taken and (not is_due or size + len(line) > MAX_READ_BYTES):
                break
            self._ahead.popleft()
            taken.append(line)
            size += len(line)
        self._counters["lines"] += len(taken)
        self._counters["bytes"] += size
        return b"".join(taken)

    def _due_s(self, offset_s: float) -> float:
        return self._begun_s + offset_s / self._config.speed

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _read_block(file: BinaryIO, *, must_rewind: bool) -> list[bytes]:
    if must_rewind:
        file.seek(0)
    lines: list[bytes] = []
    while len(lines) < BLOCK_LINES:
        line = file.readline(MAX_READ_BYTES - len(_LINE_END))
        if not line:
            break
        lines.append(line)
    return lines
