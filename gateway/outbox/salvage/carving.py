"""Finds whole batches in the images of pages, whether or not anything points at them. Sans-io.

A batch proves itself: its zstd frame carries a checksum of the content, and the content names its stream and tiles its
range. So a row's header, the page's list of cells and the tree above may all be damaged. A frame of an earlier program,
without a checksum, must agree with the CRC or digest of its row.
"""

# ruff: noqa: PLR2004 - the numbers are those of the file format

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import zstandard

from contracts.batch import Batch
from contracts.codec import decode_batch, digest
from contracts.errors import PeerError
from contracts.limits import MAX_BATCH_BYTES
from contracts.payloads import Gap
from gateway.outbox import packing
from gateway.outbox.salvage import layout
from gateway.outbox.salvage.images import Image, Images
from gateway.outbox.salvage.layout import Cell, Value

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_ROW_HEAD = 320
"""Bytes of a row before its data: a boot id of at most 64 bytes of text (4 each at worst) and eleven numbers."""
MAX_SEEN = 1_000_000
"""Batches recognised as seen already; beyond it they are decoded again, and their rows found to be there."""
_CHECKSUM_FLAG = 4


@dataclass(frozen=True, slots=True)
class Found:
    """A batch that has proven itself.

    Attributes:
        batch: what it says.
        data: as it travels.
        records: numbers that have their record: gaps not counted.
    """

    batch: Batch
    data: bytes
    records: int


class Carver:
    """Looks through images one after another.

    Args:
        images: where overflow chains are read from.
    """

    def __init__(self, images: Images) -> None:
        self._images = images
        self._page_size = images.page_size
        self._seen: set[int] = set()

    def batches(self, image: Image) -> Iterator[tuple[Found, int]]:
        """Give the batches that begin in an image and are new, with the number of their row, 0 if lost."""
        page = image.data
        known: set[int] = set()
        for cell in layout.cells(page, self._page_size, is_first=image.page_no == 1):
            found = self._in_cell(cell, image.order)
            if found is not None:
                known.add(page.find(ZSTD_MAGIC, cell.start))
                yield from self._fresh(found, cell.rowid)
        at = page.find(ZSTD_MAGIC)
        while at >= 0:
            if at not in known:
                yield from self._carved(page, at, image.order)
            at = page.find(ZSTD_MAGIC, at + 1)

    def _carved(self, page: bytes, at: int, order: int) -> Iterator[tuple[Found, int]]:
        for cell in self._cells_before(page, at):
            found = self._in_cell(cell, order)
            if found is not None:
                yield from self._fresh(found, cell.rowid)
                return
        alone = _alone(page[at : self._page_size])
        if alone is not None:
            yield from self._fresh(alone, 0)

    def _fresh(self, found: Found, rowid: int) -> Iterator[tuple[Found, int]]:
        name = hash(found.data)
        if name in self._seen:
            return
        if len(self._seen) < MAX_SEEN:
            self._seen.add(name)
        yield found, rowid

    def _in_cell(self, cell: Cell, order: int) -> Found | None:
        for payload in self._payloads(cell, order):
            offsets = layout.column_offsets(payload, cell.size)
            if offsets is None or offsets[-1][2] < len(ZSTD_MAGIC):
                return None
            columns = layout.values(payload, offsets)
            data = columns.pop() if columns else None
            found = prove(data, columns) if isinstance(data, bytes) else None
            if found is not None:
                return found
        return None

    def _cells_before(self, page: bytes, at: int) -> Iterator[Cell]:
        """Give the cells whose last column begins at ``at``: the page may not point at them any more."""
        for start in range(at - 2, max(-1, at - MAX_ROW_HEAD), -1):
            cell = layout.cell_at(page, start, self._page_size)
            if cell is None or cell.size < 16:
                continue
            offsets = layout.column_offsets(cell.local, cell.size)
            if offsets is not None and cell.start + _cell_head(page, cell) + offsets[-1][1] == at:
                yield cell

    def _payloads(self, cell: Cell, order: int) -> Iterator[bytes]:
        need = cell.size - len(cell.local)
        if need <= 0:
            yield cell.local
            return
        for rest in self._images.overflow(cell.overflow, need, order):
            yield cell.local + rest


def prove(data: bytes, columns: Sequence[Value]) -> Found | None:
    """Return the batch that bytes are, None if they are none or cannot be believed.

    Args:
        data: the bytes.
        columns: the other columns of the row; needed only where the frame has no checksum.
    """
    if data[:4] != ZSTD_MAGIC or not 5 < len(data) <= MAX_BATCH_BYTES:
        return None
    try:
        batch = decode_batch(data)
    except PeerError:
        return None
    if not data[4] & _CHECKSUM_FLAG:
        crc = packing.crc_of(batch.stream_id, batch.first_seq, batch.last_seq, data)
        if crc not in columns and digest(data) not in columns:
            return None
    return Found(batch, data, sum(not isinstance(record.payload, Gap) for record in batch.records))


def _alone(rest: bytes) -> Found | None:
    """Return the batch that lies at the beginning of bytes, whatever follows it."""
    reader = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024).decompressobj()
    if len(rest) < 6 or not rest[4] & _CHECKSUM_FLAG:
        return None
    try:
        reader.decompress(rest)
    except zstandard.ZstdError:
        return None
    return prove(rest[: len(rest) - len(reader.unused_data)], ()) if reader.eof else None


def _cell_head(page: bytes, cell: Cell) -> int:
    """Return the bytes of a cell before its payload: the lengths of its two varints."""
    size = layout.read_varint(page, cell.start)
    rowid = layout.read_varint(page, size[1]) if size else None
    return (rowid[1] - cell.start) if rowid else 0
