"""A database that cannot be opened: records are kept in memory meanwhile."""

from pathlib import Path

from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.models import Appended
from gateway.outbox.outbox import Outbox
from tests.support.gateway_records import GATEWAY, SITE, RunningClock, ais


async def test_a_database_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    box = Outbox(
        tmp_path / "data" / "outbox.db", SITE, GATEWAY, OutboxSettings(group_commit_ms=5), RunningClock(), Counters()
    )
    box.start(lambda: None)
    assert await box.append("ais", "r", 1, [ais(1)]) == Appended(1, is_on_disk=False)
    (tmp_path / "data").unlink()
    await box.tend()
    assert await box.append("ais", "r", 2, [ais(2)]) == Appended(2)
    await box.close()
