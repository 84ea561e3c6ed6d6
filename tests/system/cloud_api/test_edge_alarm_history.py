"""Alarms made at the edge are history like every record: raised and cleared, each once."""

from pathlib import Path

import pytest

from cloud_api.history.models import CommitOutcome, ReceivedBatch
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from contracts.payloads import Alarm
from tests.support.batches import START_NS, STREAM, batch, record

pytestmark = pytest.mark.system

ALARMS = STREAM.replace(".track", ".alarm")


async def test_an_alarm_batch_is_committed_once_and_found_again(tmp_path: Path) -> None:
    writer = SqliteHistoryWriter(tmp_path / "history.sqlite")
    raised, cleared = (
        Alarm(
            alarm="mooring_tension_high", severity="alarm", is_active=is_active, value=640.0, limit=600.0, unit="kN",
            subject="hook 3", raised_at_ns=START_NS,
        )
        for is_active in (True, False)
    )  # fmt: skip
    sealed = ReceivedBatch(batch(1, 2, ALARMS, [record(1, raised), record(2, cleared)]), START_NS)
    assert await writer.commit([sealed]) == [CommitOutcome.COMMITTED]
    assert await writer.commit([sealed]) == [CommitOutcome.DUPLICATE]
    reader = SqliteHistoryReader(tmp_path / "history.sqlite")
    latest = await reader.latest_observations(START_NS)
    assert [observed.payload for _, _, observed in latest] == [cleared]
    (account,) = await reader.accounting()
    assert account.stream_id == ALARMS
    await reader.close()
    await writer.close()
