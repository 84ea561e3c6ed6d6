"""Writes the identities of vessels that were heard, every few seconds in one transaction."""

import asyncio

import structlog

from cloud_api.operations.vessel_store import SqlVesselStore, VesselIdentities
from contracts.batch import Batch
from contracts.errors import LinkError
from contracts.payloads import Ais

WRITE_PERIOD_S = 10.0
"""A vessel says its name every 6 minutes; a register that is 10 s old misses nothing."""
WRITE_TIMEOUT_S = 10.0
"""20,000 identities after a start on an empty database take 4 s; what is not written stays due."""

_log = structlog.get_logger(__name__)


class VesselRegister:
    """The register of vessels: fed by the store role, written at its own pace."""

    def __init__(self, store: SqlVesselStore) -> None:
        self._store = store
        self._identities = VesselIdentities()
        self._is_failing = False

    def on_committed(self, batch: Batch) -> None:
        """Take the identities of a batch."""
        for record in batch.records:
            if isinstance(record.payload, Ais):
                self._identities.hear(record.payload, record.observed_at_ns)

    async def run(self) -> None:
        """Write what is due, for ever."""
        while True:
            await asyncio.sleep(WRITE_PERIOD_S)
            await self.write()

    async def write(self) -> None:
        """Write what is due; what cannot be written now stays due."""
        rows = self._identities.due()
        if not rows:
            return
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await self._store.save(rows)
        except (LinkError, TimeoutError) as exc:
            if not self._is_failing:
                _log.warning("vessels_unwritable", error=str(exc) or "timeout")
            self._is_failing = True
            return
        if self._is_failing:
            _log.info("vessels_writable")
        self._is_failing = False
        self._identities.written(rows)
