"""Every image of every page that the database file and its log hold, the newest first.

Sans-io: files are read by functions that the caller brings. An overflow chain may be damaged, or may have been written
anew since: so a page can be asked for as it was when a given frame of the log was written, as it is now, and as it lies
in the database file. What is put together in each of these ways must prove itself; this module believes nothing.
"""

# ruff: noqa: PLR2004 - the numbers are those of the file format

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.outbox.salvage import layout
from gateway.outbox.salvage.wal import Frame, Log, Read

CHUNK_BYTES = 1024 * 1024
"""Read at once from the database file, in order: what a card is fast at."""
SAMPLE_PAGES = 64
IN_FILE = -1
"""Order of an image that lies in the database file."""
EARLIER = -2
"""Order of an image that lies in the log from a round before the last checkpoint."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a page.

    Attributes:
        page_no: from 1.
        order: index of its frame, ``IN_FILE`` or ``EARLIER``.
        is_newest: SQLite would read this one.
        data: the page.
    """

    page_no: int
    order: int
    is_newest: bool
    data: bytes


class Images:
    """See the module.

    Args:
        read_main: reads from the database file.
        main_size: of the database file, bytes.
        log: the log, judged.
        read_wal: reads from the log.
        committed_frames: what follows these in the log was undone; None: it had been committed, or may have been.
    """

    def __init__(
        self, read_main: Read, main_size: int, log: Log, read_wal: Read, committed_frames: int | None = None
    ) -> None:
        self._read_main = read_main
        self._read_wal = read_wal
        self._log = log
        header = read_main(0, layout.HEADER_BYTES)
        self.page_size = _page_size(read_main, main_size, header, log)
        is_header = layout.header_page_size(header) == self.page_size
        self.pages = main_size // self.page_size
        self._has_maps = not is_header or any(header[52:56])
        frames = log.frames if log.page_size == self.page_size else []
        self._current = [frame for frame in frames[:committed_frames] if frame.is_current]
        self._earlier = _not_undone([frame for frame in frames if not frame.is_current])
        self._by_page: dict[int, list[Frame]] = {}
        for frame in self._current:
            if frame.is_proven:
                self._by_page.setdefault(frame.page_no, []).append(frame)
        self._earlier_by_page = {frame.page_no: frame for frame in self._earlier}

    @property
    def size_bytes(self) -> int:
        """Bytes that there are to look through."""
        return (self.pages + len(self._current) + len(self._earlier)) * self.page_size

    def all(self) -> Iterator[Image]:
        """Give every image, newest first; among the pages of the file in their order."""
        for frame in reversed(self._current):
            data = self._read_wal(frame.at, self.page_size)
            yield Image(frame.page_no, frame.index, self._newest_frame(frame.page_no) is frame, data)
        step = max(1, CHUNK_BYTES // self.page_size)
        for first in range(0, self.pages, step):
            chunk = self._read_main(first * self.page_size, step * self.page_size)
            for at in range(0, len(chunk) - self.page_size + 1, self.page_size):
                page_no = first + at // self.page_size + 1
                yield Image(page_no, IN_FILE, page_no not in self._by_page, chunk[at : at + self.page_size])
        for frame in reversed(self._earlier):
            yield Image(frame.page_no, EARLIER, False, self._read_wal(frame.at, self.page_size))

    def newest(self, page_no: int) -> bytes:
        """Return a page as SQLite would read it, empty if there is none."""
        frame = self._newest_frame(page_no)
        return self._read_wal(frame.at, self.page_size) if frame else self._in_file(page_no)

    def overflow(self, first: int, need: int, order: int) -> Iterator[bytes]:
        """Give what an overflow chain may hold, the likeliest first; the caller proves which is right.

        Args:
            first: first page of the chain.
            need: bytes that it holds.
            order: of the image that points at it.
        """
        seen = set()
        for way in range(4):
            found = self._chain(first, need, order, way)
            if found is not None and found not in seen:
                seen.add(found)
                yield found

    def free_pages(self) -> frozenset[int]:
        """Return the pages that the newest header says are free; stops where the list makes no sense."""
        header = self.newest(1)[: layout.HEADER_BYTES]
        trunk = int.from_bytes(header[32:36], "big")
        found: set[int] = set()
        while trunk and trunk not in found:
            page = self.newest(trunk)
            count = int.from_bytes(page[4:8], "big")
            if len(page) < self.page_size or count > self.page_size // 4 - 2:
                break
            found.add(trunk)
            found.update(int.from_bytes(page[at : at + 4], "big") for at in range(8, 8 + 4 * count, 4))
            trunk = int.from_bytes(page[:4], "big")
        return frozenset(found)

    def is_map(self, page_no: int) -> bool:
        """Tell whether a page holds pointers for auto-vacuum instead of rows.

        Source: "Database File Format" 1.8.
        """
        return self._has_maps and page_no >= 2 and (page_no - 2) % (self.page_size // 5 + 1) == 0

    def _newest_frame(self, page_no: int) -> Frame | None:
        frames = self._by_page.get(page_no)
        return frames[-1] if frames else None

    def _in_file(self, page_no: int) -> bytes:
        if not 1 <= page_no <= self.pages:
            return b""
        return self._read_main((page_no - 1) * self.page_size, self.page_size)

    def _chain(self, first: int, need: int, order: int, way: int) -> bytes | None:
        pieces = []
        page_no = first
        while need > 0:
            page = self._page_in(page_no, order, way)
            if len(page) < self.page_size:
                return None
            piece = page[4 : min(self.page_size, 4 + need)]
            pieces.append(piece)
            need -= len(piece)
            following = page_no + 1
            if self.is_map(following):
                following += 1
            # the last way believes no pointer: a row that was written at once mostly lies in one piece
            page_no = following if way == 3 else int.from_bytes(page[:4], "big")
        return b"".join(pieces)

    def _page_in(self, page_no: int, order: int, way: int) -> bytes:
        """Return a page: 0 as of the time of the image that points at it, 1 as it is now, 2 in the file, 3 as 0."""
        if way == 1:
            return self.newest(page_no)
        if way == 2:
            return self._in_file(page_no)
        if order == EARLIER:
            frame = self._earlier_by_page.get(page_no)
            return self._read_wal(frame.at, self.page_size) if frame else self._in_file(page_no)
        if order == IN_FILE:
            return self._in_file(page_no)
        # a transaction's frames come in the order of their pages: a chain may lie after the page that points at it
        end = self._end_of_transaction(order)
        then = [frame for frame in self._by_page.get(page_no, ()) if frame.index <= end]
        return self._read_wal(then[-1].at, self.page_size) if then else self._in_file(page_no)

    def _end_of_transaction(self, order: int) -> int:
        return next((frame.index for frame in self._log.frames[order:] if frame.is_commit), order)


def _not_undone(frames: list[Frame]) -> list[Frame]:
    """Return the frames of earlier rounds less those of a transaction that was surely undone.

    Its frames carry salts that no commit follows; or none, where a page was written twice before the commit that never
    came. Salts that only one frame has, and a frame of no page, are damaged: what it holds may have been committed.
    """
    last = {frame.salts: frame.index for frame in frames if frame.is_commit}
    shared = {salts for salts, number in Counter(frame.salts for frame in frames).items() if number > 1} | {(0, 0)}
    return [
        frame
        for frame in frames
        if frame.page_no == 0 or frame.salts not in shared or frame.index <= last.get(frame.salts, -1)
    ]


def _page_size(read: Read, size: int, header: bytes, log: Log) -> int:
    """Return the page size: what the header or the log says if any page agrees, else what most pages agree with."""
    told = [item for item in (layout.header_page_size(header), log.page_size) if item]
    best, most = 0, 0
    for candidate in dict.fromkeys([*told, *layout.PAGE_SIZES]):
        step = max(1, size // candidate // SAMPLE_PAGES)
        agree = sum(
            layout.is_whole_leaf(read(page_no * candidate, candidate), is_first=page_no == 0)
            for page_no in range(0, size // candidate, step)
        )
        if agree and candidate in told:
            return candidate
        if agree > most:
            best, most = candidate, agree
    return best or (told[0] if told else layout.PAGE_SIZES[0])
