"""Pages and rows of an SQLite file, read from bytes that may be damaged anywhere. Sans-io.

Everything here answers ``None`` or nothing where the bytes make no sense; it never raises on them, and it believes no
length, offset or page number that does not fit into the page.

Source: SQLite, "Database File Format": 1.3 the database header, 1.6 b-tree pages, 1.7 cell payload overflow, 2.1
record format.
"""

# ruff: noqa: PLR2004 - the numbers are those of the file format

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
RESERVED_AT = 20
"""Where the header says how many bytes at the end of each page are not used: always none in a file of this program. So
what it says is not asked for where rows are looked for, and is damage if it is anything else."""
PAGE_SIZES = (4096, 1024, 2048, 8192, 16384, 32768, 65536, 512)
"""Every size that SQLite knows, the one that this program makes first."""
TABLE_LEAF = 0x0D
TABLE_INTERIOR = 0x05
INDEX_LEAF = 0x0A
INDEX_INTERIOR = 0x02
KINDS = frozenset({TABLE_LEAF, TABLE_INTERIOR, INDEX_LEAF, INDEX_INTERIOR})

MAX_PAYLOAD = 1024 * 1024
"""Four times the largest batch: a longer row is a damaged length."""
MAX_COLUMNS = 64
MAX_HEADER = 2 * MAX_COLUMNS
_INT_BYTES = (0, 1, 2, 3, 4, 6, 8)
_FIRST_BLOB = 12

Value = int | float | bytes | str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A row as its leaf page holds it.

    Attributes:
        start: offset of the cell in its page, bytes.
        rowid: number of the row; 0 in an index.
        size: bytes of the whole payload.
        local: what of it lies in this page.
        overflow: page where it goes on, 0 if it does not.
    """

    start: int
    rowid: int
    size: int
    local: bytes
    overflow: int


def header_page_size(header: bytes) -> int | None:
    """Return the page size that a database header tells, bytes; None if it is no such header."""
    if header[:16] != MAGIC or len(header) < HEADER_BYTES:
        return None
    size = int.from_bytes(header[16:18], "big")
    size = 65536 if size == 1 else size
    return size if size in PAGE_SIZES else None


def is_whole_leaf(page: bytes, *, is_first: bool) -> bool:
    """Tell whether bytes look like one whole leaf page; decides between page sizes where the header is lost.

    Cells fill a page from its end: with a size too large they end in the middle, with one too small they lie outside.
    """
    found = list(cells(page, len(page), is_first=is_first))
    return bool(found) and max(cell.start + len(cell.local) for cell in found) > len(page) * 3 // 4


def read_varint(data: bytes, at: int) -> tuple[int, int] | None:
    """Return (value, offset behind it) of a variable-length integer, None if the bytes end before it does."""
    value = 0
    for length in range(9):
        if at + length >= len(data):
            return None
        byte = data[at + length]
        if length == 8:
            value = value << 8 | byte
            return (value - (1 << 64) if value >= 1 << 63 else value), at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + length + 1
    return None


def cells(page: bytes, usable: int, *, is_first: bool = False) -> Iterator[Cell]:
    """Give the cells that a leaf page points at; nothing where it is none.

    Args:
        page: one page.
        usable: bytes of it that SQLite uses: all of them (see ``RESERVED_AT``).
        is_first: it is page 1, which begins with the database header.
    """
    base = HEADER_BYTES if is_first else 0
    kind = page[base] if len(page) > base + 8 else 0
    if kind not in (TABLE_LEAF, INDEX_LEAF):
        return
    count = int.from_bytes(page[base + 3 : base + 5], "big")
    end = min(base + 8 + 2 * count, usable - 1)
    for at in range(base + 8, end - 1, 2):
        cell = cell_at(page, int.from_bytes(page[at : at + 2], "big"), usable, is_table=kind == TABLE_LEAF)
        if cell is not None:
            yield cell


def cell_at(page: bytes, start: int, usable: int, *, is_table: bool = True) -> Cell | None:
    """Read the cell of a leaf page that begins at an offset, None if there is none.

    Source: "Database File Format" 1.6 (cell formats) and 1.7 (how much of a payload stays in the page).
    """
    size_read = read_varint(page, start)
    if size_read is None or not 0 < size_read[0] <= MAX_PAYLOAD:
        return None
    size, at = size_read
    rowid = 0
    if is_table:
        rowid_read = read_varint(page, at)
        if rowid_read is None:
            return None
        rowid, at = rowid_read
    most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
    if size <= most:
        return Cell(start, rowid, size, page[at : at + size], 0) if at + size <= usable else None
    least = (usable - 12) * 32 // 255 - 23
    kept = least + (size - least) % (usable - 4)
    kept = kept if kept <= most else least
    if at + kept + 4 > usable:
        return None
    overflow = int.from_bytes(page[at + kept : at + kept + 4], "big")
    return Cell(start, rowid, size, page[at : at + kept], overflow)


def column_offsets(payload: bytes, size: int) -> list[tuple[int, int, int]] | None:
    """Return (serial type, offset, length) of each column of a record, None if its header makes no sense.

    Args:
        payload: the record, or its beginning.
        size: bytes of the whole record; the columns must fill it exactly.
    """
    head_read = read_varint(payload, 0)
    if head_read is None or not 1 < head_read[0] <= MAX_HEADER:
        return None
    at, body = head_read[1], head_read[0]
    end = body
    found = []
    while at < end:
        read = read_varint(payload, at)
        if read is None or read[1] > end or read[0] < 0 or read[0] in (10, 11):
            return None
        kind, at = read
        length = (kind - _FIRST_BLOB) // 2 if kind >= _FIRST_BLOB else _fixed_length(kind)
        found.append((kind, body, length))
        body += length
        if body > size:
            return None
    return found if body == size else None


def values(payload: bytes, offsets: Sequence[tuple[int, int, int]]) -> list[Value]:
    """Return the columns of a record that lie wholly in ``payload``; ends before the first that does not."""
    found: list[Value] = []
    for kind, at, length in offsets:
        if at + length > len(payload):
            break
        found.append(_value(kind, payload[at : at + length]))
    return found


def children(page: bytes, usable: int, *, is_first: bool = False) -> list[int] | None:
    """Return the pages below an interior page, in order, None if it is no sound interior page."""
    base = HEADER_BYTES if is_first else 0
    if len(page) < base + 12 or page[base] not in (TABLE_INTERIOR, INDEX_INTERIOR):
        return None
    count = int.from_bytes(page[base + 3 : base + 5], "big")
    if base + 12 + 2 * count > usable:
        return None
    found = []
    for at in range(base + 12, base + 12 + 2 * count, 2):
        start = int.from_bytes(page[at : at + 2], "big")
        if start + 4 > usable:
            return None
        found.append(int.from_bytes(page[start : start + 4], "big"))
    found.append(int.from_bytes(page[base + 8 : base + 12], "big"))
    return found


def interior_keys(page: bytes, usable: int) -> Iterator[Cell]:
    """Give the entries that an interior page of an index holds itself (they are in no leaf)."""
    if len(page) < 12 or page[0] != INDEX_INTERIOR:
        return
    count = int.from_bytes(page[3:5], "big")
    for at in range(12, min(12 + 2 * count, usable - 1), 2):
        cell = cell_at(page, int.from_bytes(page[at : at + 2], "big") + 4, usable, is_table=False)
        if cell is not None:
            yield cell


def _fixed_length(kind: int) -> int:
    if kind <= 6:
        return _INT_BYTES[kind]
    return 8 if kind == 7 else 0


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind <= 6:
        return int.from_bytes(data, "big", signed=True)
    if kind in (8, 9):
        return kind - 8
    if kind == 7:
        return 0.0  # no column of the outbox is a real number
    return data.decode("utf-8", "replace") if kind % 2 else data
