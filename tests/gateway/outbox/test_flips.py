"""Flipped bits, bursts, pages of zeros and lost ends in every file of the outbox: it starts, and loses what was hit.

Reduced: a few hundred faults. Whole (PORTTRACK_WHOLE=1): 10,000. Both by the same code; a whole run prints its figures.
Each store is opened by the real outbox, gets new records, and is emptied into a cloud by the rules of the real one.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.outbox import custody, packing
from gateway.outbox.mark import Mark
from gateway.outbox.salvage import images, inspection, layout, opening
from gateway.outbox.salvage.index_tree import IndexTree
from gateway.outbox.salvage.wal import Log, Read, WalState, read_log
from gateway.outbox.writer import Writer
from tests.support.damage import campaign
from tests.support.damage.stores import Template

pytestmark = pytest.mark.system  # a campaign over real databases

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
FAULTS = 10_000 if IS_WHOLE else 120
PROOF_FAULTS = 40
SEED = 20
RESERVED_BYTES = 2


def _full_disks_are_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Writer, "_damage_behind_full", lambda *_: "")


def _closed_as_always(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(custody, "close_as_it_lies", lambda db, _: db.close())


def _reserved_bytes_are_believed(patch: pytest.MonkeyPatch) -> None:
    def believing(page: bytes, start: int, usable: int, *, is_table: bool = True) -> layout.Cell | None:
        return cell_at(page, start, usable - RESERVED_BYTES, is_table=is_table)

    cell_at = layout.cell_at
    patch.setattr(layout, "cell_at", believing)


def _lost_heads_are_of_undone_frames(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(images, "_not_undone", lambda frames: [frame for frame in frames if frame.page_no])


def _any_index_is_whole(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IndexTree, "is_whole", lambda _: True)


FOUND: dict[str, tuple[int, Callable[[pytest.MonkeyPatch], None]]] = {
    # SQLite calls the disk full, and no batch could be deleted
    "a_page_points_far_behind_the_end": (5507, _full_disks_are_believed),
    # a leaf points at no row of its own: SQLite sends the rows around it, and then joins the leaf with theirs
    "a_leaf_is_written_anew_without_its_row": (6075, _closed_as_always),
    # two entries of the index are left, and no row that could contradict them
    "the_index_is_cut_off_behind_its_root": (9203, _any_index_is_whole),
    # the head of a frame is zeros, and the row in what is left of its page is whole
    "a_frame_has_lost_its_head": (7160, _lost_heads_are_of_undone_frames),
    # one bit: SQLite finds rows and the pages where they go on at other places
    "the_header_reserves_a_part_of_each_page": (9451, _reserved_bytes_are_believed),
}
"""Numbers of faults of this seed that were wrong once, with what takes the protection away again."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory where there is such a place: durability is proved elsewhere, here are only bytes."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    made = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
    yield Path(made)
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def templates(folder: Path) -> dict[str, Template]:
    return campaign.make_all(folder)


def test_damage_anywhere_never_keeps_it_from_starting_and_costs_only_what_was_hit(
    templates: dict[str, Template], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = campaign.run(templates, folder, FAULTS, SEED, monkeypatch)
    if IS_WHOLE:
        print(json.dumps({"flips": outcome.figures, "faults": outcome.faults, "wrong": len(outcome.wrong)}))  # noqa: T201
    assert outcome.wrong == []
    assert outcome.figures["started"] == FAULTS
    assert outcome.figures["with_loss"] > 0
    assert outcome.figures["salvaged"] > 0


@pytest.mark.parametrize("is_protected", [True, False])
@pytest.mark.parametrize("fault", list(FOUND))
def test_a_fault_that_was_found_stays_mended(
    templates: dict[str, Template], folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str, *, is_protected: bool
) -> None:
    """Each with its mutation proof: without what was mended the same fault is wrong again."""
    index, unprotect = FOUND[fault]
    if not is_protected:
        unprotect(monkeypatch)
    verdict = campaign.again(templates, folder, SEED, index, monkeypatch)
    assert (verdict.is_started and verdict.wrong == []) is is_protected


def _as_sqlite_would(read: Read, size: int, hint: int | None) -> Log:
    return replace(read_log(read, size, hint), state=WalState.SOUND)


@pytest.mark.parametrize(("protection", "file"), [("mark", "outbox.db-wal"), ("crc", "outbox.db")])
def test_without_a_protection_damage_is_not_noticed(
    templates: dict[str, Template], folder: Path, monkeypatch: pytest.MonkeyPatch, protection: str, file: str
) -> None:
    """Mutation proofs: without the mark a database goes back, without the checks of each batch poison goes up."""
    if protection == "mark":
        monkeypatch.setattr(opening, "read_mark", lambda _: Mark())
    else:
        monkeypatch.setattr(packing, "is_intact", lambda _: True)
    outcome = campaign.run(_with(templates, file), folder, PROOF_FAULTS, SEED, monkeypatch, only=file)
    assert outcome.wrong


def test_where_the_mark_is_lost_the_log_is_still_looked_through(
    templates: dict[str, Template], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof of reading the log: SQLite alone goes back at the first broken frame, and nobody would know."""
    monkeypatch.setattr(opening, "read_mark", lambda _: Mark())
    stores = _with(templates, "outbox.db-wal")
    read = campaign.run(stores, folder, PROOF_FAULTS, SEED, monkeypatch, only="outbox.db-wal")
    monkeypatch.setattr(inspection, "read_log", _as_sqlite_would)
    unread = campaign.run(stores, folder, PROOF_FAULTS, SEED, monkeypatch, only="outbox.db-wal")
    # what is cut off at the end without a trace can be known by the mark only
    assert all(" truncation:" in text for text in read.wrong)
    assert any(" truncation:" not in text for text in unread.wrong)


def _with(templates: dict[str, Template], file: str) -> dict[str, Template]:
    return {kind: item for kind, item in templates.items() if (item.folder / file).exists()}
