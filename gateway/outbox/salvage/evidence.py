"""What the newest pages say lay in the database: streams, runs of drivers, and the ranges of batches. Sans-io.

Rows are recognised by their shape, not by the tree above them, which may be damaged. The index of ranges names every
batch a second time: with it the range of a row whose page is gone is still known. None of it carries a checksum, so
it serves to tell what was lost, never to make up a batch.
"""

# ruff: noqa: PLR2004 - the numbers are those of the file format

from dataclasses import dataclass, field

from contracts.errors import PeerError
from contracts.ids import split_stream_id
from contracts.records import RecordClass
from gateway.outbox import tables
from gateway.outbox.salvage import layout
from gateway.outbox.salvage.images import Image, Images
from gateway.outbox.salvage.index_tree import INDEX_NAME, IndexTree
from gateway.outbox.salvage.layout import Cell, Value

MAX_RUNS = 4096
"""Sixteen times what 32 drivers leave; a damaged page must not fill the memory."""

Key = int | str
"""How a batch names its stream: version 2 by number, version 1 by class."""
_BATCH_COLUMNS = 12
_CLASSES = frozenset(name.value for name in RecordClass)


@dataclass(frozen=True, slots=True)
class StreamRow:
    """What a row of the table of streams said."""

    stream_id: str
    next_seq: int
    records: int


@dataclass(slots=True)
class Evidence:
    """Collected from one page after another.

    Attributes:
        streams: by key.
        runs: last number stored, by (source, run id).
        rows: (key, first, last) of each batch by its row.
        entries: (key, first) of each batch by the index of ranges.
        is_index_whole: every page of the index of ranges was read, and every entry in it.
        older_ends: last number of batches by (key, first), as older images of their rows had it.
        pending: records of version 1 that were not in a batch yet, by (class, number).
        store_id: of the database.
    """

    streams: dict[Key, StreamRow] = field(default_factory=dict)
    runs: dict[tuple[str, str], int] = field(default_factory=dict)
    rows: set[tuple[Key, int, int]] = field(default_factory=set)
    entries: set[tuple[Key, int]] = field(default_factory=set)
    is_index_whole: bool = False
    older_ends: dict[tuple[Key, int], int] = field(default_factory=dict)
    pending: dict[tuple[str, int], bytes] = field(default_factory=dict)
    store_id: str = ""


class Witness:
    """Reads the evidence.

    Args:
        images: the pages.
        owner: site id and gateway id, for the streams of version 1.
    """

    def __init__(self, images: Images, owner: tuple[str, str]) -> None:
        self._images = images
        self._owner = owner
        self._free = images.free_pages()
        self._index = IndexTree(images.page_size)
        self.found = Evidence()

    def take(self, image: Image) -> None:
        """Read one image; what SQLite would read itself counts, older ones are remembered for the ends of rows."""
        # where the header is lost it is not known whether there are maps; a leaf is none
        if self._images.is_map(image.page_no) and image.data[0] not in (layout.TABLE_LEAF, layout.INDEX_LEAF):
            return
        if not image.is_newest or image.page_no in self._free:
            self._take_older(image)
            return
        page = image.data
        self._index.take(image.page_no, page)
        is_table = page[:1] == bytes([layout.TABLE_LEAF])
        for cell in layout.cells(page, self._images.page_size, is_first=image.page_no == 1):
            self._take_cell(cell, image.order, is_table=is_table)
        for cell in layout.interior_keys(page, self._images.page_size):
            self._take_cell(cell, image.order, is_table=False)

    def finish(self) -> Evidence:
        """Return what was found, with the streams of version 1 under their full names."""
        found = self.found
        found.is_index_whole = self._index.is_whole()
        found.rows |= {(name, seq, seq) for name, seq in found.pending}
        for key, row in list(found.streams.items()):
            if isinstance(key, str):
                name = ".".join((*self._owner, found.store_id, key))
                if _is_stream(name, key):
                    found.streams[key] = StreamRow(name, row.next_seq, row.records)
                else:
                    del found.streams[key]
        return found

    def _take_older(self, image: Image) -> None:
        if image.data[:1] != bytes([layout.TABLE_LEAF]):
            return
        for cell in layout.cells(image.data, self._images.page_size):
            offsets = layout.column_offsets(cell.local, cell.size)
            if offsets is None or len(offsets) != _BATCH_COLUMNS:
                continue
            match layout.values(cell.local, offsets):
                case [None, int(key) | str(key), int(first), int(last), *_] if 0 < first <= last:
                    self.found.older_ends.setdefault((key, first), last)
                case _:
                    pass

    def _take_cell(self, cell: Cell, order: int, *, is_table: bool) -> None:
        offsets = layout.column_offsets(cell.local, cell.size)
        if offsets is None:
            return
        columns = layout.values(cell.local, offsets)
        if is_table:
            self._take_row(cell.rowid, columns, len(offsets))
        elif len(offsets) == 3 and len(columns) >= 2 and columns[0] in _CLASSES and offsets[2][0] % 2 == 0:
            self._take_pending(columns, cell, order)
        else:
            self._take_entry(columns)

    def _take_row(self, rowid: int, columns: list[Value], width: int) -> None:
        match columns:
            case [None, str(stream_id), str(name), int(flag), int(next_seq), int(records), int(size), int(crc)] if (
                _is_stream(stream_id, name) and crc == tables.crc_of_stream(stream_id, flag, next_seq, records, size)
            ):
                self.found.streams[rowid] = StreamRow(stream_id, next_seq, records)
            case ["index", str(name), str(), int(root), str()] if name == INDEX_NAME:
                self._index.root = root
            case [None, str(source), str(run_id), int(last_no)] if last_no > 0 and len(self.found.runs) < MAX_RUNS:
                run = source, run_id
                self.found.runs[run] = max(last_no, self.found.runs.get(run, 0))
            case [None, int(key) | str(key), int(first), int(last), *_] if (
                width == _BATCH_COLUMNS and 0 < first <= last
            ):
                if isinstance(key, int) or key in _CLASSES:
                    self.found.rows.add((key, first, last))
            case _:
                pass

    def _take_entry(self, columns: list[Value]) -> None:
        match columns:
            case [int(key), int(first), int()] if first > 0:
                self.found.entries.add((key, first))
            case [str(key), int(first), int(rowid)] if first > 0 and key in _CLASSES and first != rowid:
                # an index of version 1 by class and id looks the same, but for its two equal numbers
                self.found.entries.add((key, first))
            case [str(name), int(next_seq), int(records), int()] if name in _CLASSES and next_seq > 0:
                self.found.streams[name] = StreamRow(name, next_seq, records)
            case ["store_id", str(value)]:
                self.found.store_id = value
            case _:
                pass

    def _take_pending(self, columns: list[Value], cell: Cell, order: int) -> None:
        name, seq = columns[0], columns[1]
        if not isinstance(name, str) or not isinstance(seq, int):
            return
        need = cell.size - len(cell.local)
        rest = next(self._images.overflow(cell.overflow, need, order), b"") if need > 0 else b""
        whole = cell.local + rest
        offsets = layout.column_offsets(whole, cell.size)
        data = layout.values(whole, offsets)[-1] if offsets and len(whole) == cell.size else None
        if isinstance(data, bytes) and data[:1] == b"{":
            self.found.pending[name, seq] = data


def _is_stream(stream_id: str, name: str) -> bool:
    try:
        return split_stream_id(stream_id)[3] == name and name in _CLASSES
    except PeerError:
        return False
