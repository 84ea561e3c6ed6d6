"""The store role: batches to the history, poison aside, and the registers that live off what is stored."""

import random
from time import time_ns

from cloud_api.backoff import FullJitter
from cloud_api.composition.history import open_writer
from cloud_api.composition.parts import CLOSE_TIMEOUT_S, DRAIN_TIMEOUT_S, Parts, end
from cloud_api.fleet.metrics import FleetMetrics
from cloud_api.fleet.registry_policy import FleetRegistry
from cloud_api.fleet.service import FleetService
from cloud_api.fleet.store import SqlGatewayStore
from cloud_api.ingest.metrics import IngestMetrics
from cloud_api.ingest.poison import PoisonDesk
from cloud_api.ingest.service import IngestService
from cloud_api.operations.poison_store import SqlPoisonStore
from cloud_api.operations.vessel_register import VesselRegister
from cloud_api.operations.vessel_store import SqlVesselStore
from cloud_api.readiness import writing_check
from contracts.topics import Channel

STORE_GROUP = "store"
"""Queue group of the store role: each batch goes to one of its processes."""


async def add_store(parts: Parts, metrics: IngestMetrics) -> None:
    """Add the role.

    Args:
        parts: of this process.
        metrics: figures of the intake.

    Raises:
        LinkError: a store cannot be opened now.
        IntegrityError: the history is damaged.
    """
    writer = await open_writer(parts)
    vessels = VesselRegister(SqlVesselStore(parts.database))
    desk = PoisonDesk(SqlPoisonStore(parts.database), parts.bus, metrics)
    backoff = FullJitter(0.1, 5.0, random.Random())  # noqa: S311 - jitter, no secret
    ingest = IngestService(writer, parts.bus, desk, metrics, backoff, time_ns, vessels.on_committed)
    fleet = FleetService(FleetRegistry(), SqlGatewayStore(parts.database), FleetMetrics(parts.registry), time_ns)
    await fleet.restore()
    await parts.bus.subscribe_shared(Channel.RECORDS, STORE_GROUP, ingest.on_records)
    await parts.bus.subscribe_shared(Channel.STATUS, STORE_GROUP, fleet.on_status)
    parts.eternal += [("ingest", ingest.run), ("poison", desk.run), ("fleet", fleet.run), ("vessels", vessels.run)]
    parts.add_check("history", writing_check(ingest))

    async def finish() -> None:
        await end("ingest_drain", ingest.drain, DRAIN_TIMEOUT_S)
        await end("fleet_write", fleet.finish, CLOSE_TIMEOUT_S)
        await end("vessels_write", vessels.write, CLOSE_TIMEOUT_S)

    parts.ending.append(finish)
