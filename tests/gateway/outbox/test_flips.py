"""Flipped bits, bursts, pages of zeros and lost ends in every file of the outbox: it starts, and loses what was hit.

Reduced: a few hundred faults. Whole (PORTTRACK_WHOLE=1): 10,000. Both by the same code; a whole run prints its figures.
Each store is opened by the real outbox, gets new records, and is emptied into a cloud by the rules of the real one.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.outbox import packing
from gateway.outbox.mark import Mark
from gateway.outbox.salvage import inspection, opening
from gateway.outbox.salvage.wal import Log, Read, WalState, read_log
from gateway.outbox.writer import Writer
from tests.support.damage import campaign
from tests.support.damage.stores import Template

IS_WHOLE = os.environ.get("PORTTRACK_WHOLE") == "1"
FAULTS = 10_000 if IS_WHOLE else 120
PROOF_FAULTS = 40
SEED = 20


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


@pytest.mark.parametrize("is_looked_for", [True, False])
def test_a_page_far_behind_the_end_is_damage_and_no_full_disk(
    templates: dict[str, Template], folder: Path, monkeypatch: pytest.MonkeyPatch, *, is_looked_for: bool
) -> None:
    """A fault that was found, with its mutation proof: SQLite calls the disk full, and no batch could be deleted."""
    if not is_looked_for:
        monkeypatch.setattr(Writer, "_damage_behind_full", lambda *_: "")
    verdict = campaign.again(templates, folder, SEED, 5507, monkeypatch)
    assert (verdict.is_started and verdict.wrong == []) is is_looked_for


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
