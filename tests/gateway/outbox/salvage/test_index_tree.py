import sqlite3
from pathlib import Path

import pytest

from gateway.outbox.database import PAGE_BYTES
from gateway.outbox.salvage import layout
from gateway.outbox.salvage.index_tree import INDEX_NAME, IndexTree
from tests.gateway.outbox.salvage.test_opening import fill


def read(path: Path) -> tuple[int, list[bytes]]:
    """Return the root of the index, and the pages of the file."""
    db = sqlite3.connect(path)
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (INDEX_NAME,)).fetchone()
    db.close()
    data = path.read_bytes()
    return root, [data[at : at + PAGE_BYTES] for at in range(0, len(data), PAGE_BYTES)]


def is_whole(root: int, pages: list[bytes]) -> bool:
    tree = IndexTree(PAGE_BYTES)
    tree.root = root
    for page_no, page in enumerate(pages, 1):
        tree.take(page_no, page)
    return tree.is_whole()


def test_an_index_is_whole_until_a_page_or_an_entry_of_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    fill(path, batches=300)
    root, pages = read(path)
    assert is_whole(root, pages)
    assert not is_whole(0, pages)
    below = layout.children(pages[root - 1], PAGE_BYTES)
    assert below is not None
    assert len(below) > 3
    for page_no in (root, *below):
        assert not is_whole(root, [*pages[: page_no - 1], bytes(PAGE_BYTES), *pages[page_no:]])
        # its first entry lies nowhere
        first = 12 if page_no == root else 8
        without = pages[page_no - 1][:first] + b"\xff\xff" + pages[page_no - 1][first + 2 :]
        assert not is_whole(root, [*pages[: page_no - 1], without, *pages[page_no:]])


@pytest.mark.parametrize("page", [b"", b"\x0a", bytes([2]) + bytes(600), bytes([10, 0, 0, 255, 255]) + bytes(507)])
def test_bytes_that_are_no_index_make_none_whole(page: bytes) -> None:
    assert not is_whole(1, [page])


def test_a_tree_that_leads_back_to_itself_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    fill(path, batches=300)
    root, pages = read(path)
    pages[root - 1] = pages[root - 1][:8] + root.to_bytes(4, "big") + pages[root - 1][12:]
    assert not is_whole(root, pages)
