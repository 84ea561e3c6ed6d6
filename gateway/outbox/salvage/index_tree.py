"""Tells whether the index of ranges is whole: that every page below its root was read, and every entry. Sans-io.

What an index with a page missing names is not all that lay in the database, however well it agrees with the rows that
are left: where a file was cut off, no row may be left to contradict it.

Source: SQLite, "Database File Format" 1.6: b-tree pages.
"""

from gateway.outbox.salvage import layout

INDEX_NAME = "batches_range"
_ENTRY_COLUMNS = 3


class IndexTree:
    """Collects the newest image of one page after another.

    Args:
        page_size: bytes.

    Attributes:
        root: page where the index begins, as the schema says; 0 while no row of it was read.
    """

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self._below: dict[int, list[int]] = {}
        self.root = 0

    def take(self, page_no: int, page: bytes) -> None:
        """Note a page that is of an index and can be read from end to end; others are passed over."""
        kind = page[:1] if len(page) == self._page_size else b""
        if kind == bytes([layout.INDEX_LEAF]):
            entries = list(layout.cells(page, self._page_size))
            below: list[int] | None = []
        elif kind == bytes([layout.INDEX_INTERIOR]):
            entries = list(layout.interior_keys(page, self._page_size))
            below = layout.children(page, self._page_size)
        else:
            return
        count = int.from_bytes(page[3:5], "big")
        if below is not None and len(entries) == count and all(map(_is_entry, entries)):
            self._below[page_no] = below

    def is_whole(self) -> bool:
        """Tell whether all of the tree was taken."""
        waiting, seen = [self.root], set[int]()
        while waiting:
            page_no = waiting.pop()
            if page_no in seen or page_no not in self._below:
                return False
            seen.add(page_no)
            waiting += self._below[page_no]
        return True


def _is_entry(cell: layout.Cell) -> bool:
    offsets = layout.column_offsets(cell.local, cell.size)
    return offsets is not None and len(offsets) == _ENTRY_COLUMNS
