"""What must answer for this process to be ready, by name."""

from collections.abc import Awaitable, Callable

from cloud_api.bus.ports import Bus
from cloud_api.history.ports import HistoryReader
from cloud_api.ingest.service import IngestService
from cloud_api.operations.database import OperationsDatabase
from contracts.errors import LinkError

Check = Callable[[], Awaitable[None]]


def readiness_checks(
    bus: Bus, history: HistoryReader, operations: OperationsDatabase, ingest: IngestService | None
) -> dict[str, Check]:
    """Return one check a part; each raises ``LinkError`` where its part does not answer.

    Args:
        bus: the broker.
        history: its reader.
        operations: the operations database.
        ingest: the store role of this process, if it has one: a history that can be read but not written is not ready.
    """

    async def check_bus() -> None:
        if not bus.is_connected:
            raise LinkError("check bus", "broker", "not connected", "", "disconnected")

    async def check_history() -> None:
        if ingest is not None and not ingest.is_writing:
            raise LinkError("check history", "history", "the last commit failed", "", "unwritable")
        await history.check()

    return {"bus": check_bus, "history": check_history, "operations": operations.check}
