"""Boots of a stream on real SQLite and PostgreSQL: so many have rows, and a resend of any boot is a duplicate."""

import msgspec
import pytest
import sqlalchemy as sa

from cloud_api.history import sql_ledger_boots
from cloud_api.history.ledger_policy import FOLDED, HULL_STEP
from cloud_api.history.models import CommitOutcome, ReceivedBatch
from cloud_api.history.sql_ledger import MARKS_KEPT_NS, SqlStreamLedger
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import ledger_boots, ledger_marks
from contracts.batch import Batch
from tests.support.batches import START_NS, batch, record

pytestmark = pytest.mark.system

MAX_BOOTS, FOLD_STEP = 8, 3
BOOTS = 40


@pytest.fixture(autouse=True)
def low_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_ledger_boots, "MAX_BOOTS", MAX_BOOTS)
    monkeypatch.setattr(sql_ledger_boots, "FOLD_STEP", FOLD_STEP)


def of_boot(number: int, boot: str | None = None, seqs: int = 10) -> Batch:
    """Return the first records of a boot, each of which has a step of numbers of its own."""
    first = number * HULL_STEP + 1
    records = [
        msgspec.structs.replace(record(seq), boot_id=boot or f"boot-{number}") for seq in range(first, first + seqs)
    ]
    return batch(first, first + seqs - 1, records=records)


async def commit(ledger: SqlStreamLedger, *batches: Batch) -> list[CommitOutcome]:
    return await ledger.commit([ReceivedBatch(item, START_NS) for item in batches])


async def boots(operations: OperationsDatabase) -> dict[int, tuple[int, int]]:
    async with operations.reading("look") as connection:
        rows = await connection.execute(sa.select(ledger_boots))
        return {row.boot_mark: (row.first_seq, row.last_seq) for row in rows}


async def forget_marks(operations: OperationsDatabase) -> None:
    """As an hour later: only boots tell then."""
    async with operations.transaction("forget") as connection:
        await connection.execute(
            sa.delete(ledger_marks).where(ledger_marks.c.received_at_ns < START_NS + MARKS_KEPT_NS)
        )


async def test_boots_have_so_many_rows_and_a_resend_of_each_is_a_duplicate(operations: OperationsDatabase) -> None:
    ledger = SqlStreamLedger(operations)
    for number in range(BOOTS):
        assert await commit(ledger, of_boot(number)) == [CommitOutcome.COMMITTED]
        assert len(await boots(operations)) <= MAX_BOOTS + 1
    first_seq, last_seq = (await boots(operations))[FOLDED]
    assert first_seq == 0
    assert last_seq > (BOOTS - MAX_BOOTS - 1) * HULL_STEP
    await forget_marks(operations)
    for worker in (ledger, SqlStreamLedger(operations)):
        for number in range(BOOTS):
            assert await commit(worker, of_boot(number)) == [CommitOutcome.DUPLICATE], number


async def test_without_the_folded_hull_an_old_resend_would_be_refused(
    operations: OperationsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof."""
    ledger = SqlStreamLedger(operations)
    for number in range(BOOTS):
        await commit(ledger, of_boot(number))
    monkeypatch.setattr("cloud_api.history.ledger_policy.FOLDED", -2)
    assert await commit(ledger, of_boot(0)) == [CommitOutcome.RANGE_CONFLICT]


async def test_a_copied_disk_is_told_among_the_boots_that_have_rows(operations: OperationsDatabase) -> None:
    ledger = SqlStreamLedger(operations)
    for number in range(BOOTS):
        await commit(ledger, of_boot(number))
    await forget_marks(operations)
    assert await commit(ledger, of_boot(BOOTS - 1, "copy")) == [CommitOutcome.RANGE_CONFLICT]
    assert await commit(ledger, of_boot(0, "copy")) == [CommitOutcome.DUPLICATE], "what docs/adr/0152 gives up"


async def test_a_boot_that_brings_more_after_it_was_folded_is_known_whole(operations: OperationsDatabase) -> None:
    """A backlog: another worker has the boot in its memory as it was before."""
    old, new = SqlStreamLedger(operations), SqlStreamLedger(operations)
    await commit(old, of_boot(0))
    for number in range(1, BOOTS):
        await commit(new, of_boot(number))
    more = [msgspec.structs.replace(record(seq), boot_id="boot-0") for seq in range(21, 31)]
    for worker in (old, new):
        assert set(await commit(worker, batch(21, 30, records=more), of_boot(0))) <= {
            CommitOutcome.COMMITTED, CommitOutcome.DUPLICATE,
        }  # fmt: skip
    await forget_marks(operations)
    assert await commit(new, of_boot(0), batch(21, 30, records=more)) == [CommitOutcome.DUPLICATE] * 2
    assert len(await boots(operations)) <= MAX_BOOTS + 1


async def test_a_boot_a_record_has_the_same_bound(operations: OperationsDatabase) -> None:
    records = [msgspec.structs.replace(record(seq), boot_id=f"made-up-{seq}") for seq in range(1, 501)]
    ledger = SqlStreamLedger(operations)
    assert await commit(ledger, batch(1, 500, records=records)) == [CommitOutcome.COMMITTED]
    assert len(await boots(operations)) <= MAX_BOOTS + 1
    assert await commit(ledger, batch(1, 500, records=records)) == [CommitOutcome.DUPLICATE]
