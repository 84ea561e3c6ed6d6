"""Rows that the index of the batches no longer names."""

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from contracts.codec import decode_batch
from contracts.errors import LinkError
from contracts.receipt import Outcome, Receipt
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.custody import Custody
from gateway.outbox.models import Lane
from gateway.outbox.outbox import Outbox
from gateway.outbox.shelf import Shelf
from tests.support.gateway_records import GATEWAY, SITE, ManualClock, ais

SETTINGS = OutboxSettings(group_commit_ms=1, seal_records=10)


async def filled(path: Path) -> None:
    """Make a store of 120 records in batches of ten."""
    box = Outbox(path, SITE, GATEWAY, SETTINGS, ManualClock(), Counters())
    box.start(lambda: None)
    for last_no in range(10, 130, 10):
        await box.append("ais", "run", last_no, [ais(number) for number in range(last_no - 9, last_no + 1)])
    await box.close()


def empty_the_index(path: Path) -> None:
    """Leave the rows and take all entries out of the index by which receipts find them."""
    db = sqlite3.connect(path, isolation_level=None)
    (text,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'batches_range'").fetchone()
    db.execute("DROP INDEX batches_range")
    db.execute(f"{text} WHERE 0")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'batches_range'", (text,))
    db.close()


@pytest.mark.parametrize("is_checked", [True, False])
async def test_batches_that_left_the_index_are_sent_once_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_checked: bool
) -> None:
    """With its mutation proof: a receipt found no batch, and the batch was given out again without end."""
    if not is_checked:
        monkeypatch.setattr(Shelf, "_check_index", lambda *_: None)
    # as when the damage comes later than the check of the opening
    monkeypatch.setattr(Custody, "check", lambda *_: None)
    monkeypatch.setattr(Custody, "scrub", lambda *_: None)
    path = tmp_path / "outbox.db"
    await filled(path)
    empty_the_index(path)
    box = Outbox(path, SITE, GATEWAY, SETTINGS, ManualClock(), Counters())
    box.start(lambda: None)
    arrived: list[int] = []
    for _ in range(4):
        with suppress(LinkError):  # what found the damage fails; the next look finds the salvaged store
            for given in await box.next_batches(Lane.BACKLOG, (), 100, 2**20):
                arrived += [item.seq for item in decode_batch(given.data).records]
                receipt = Receipt(
                    outcome=Outcome.COMMITTED,
                    stream_id=given.stream_id,
                    first_seq=given.first_seq,
                    last_seq=given.last_seq,
                )
                await box.settle([(receipt, None)])
    await box.close()
    assert (sorted(arrived) == list(range(1, 121))) is is_checked
