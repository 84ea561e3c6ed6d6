"""Many gateways' uplinks in one process: real connections with mutual TLS, each with a backlog on a list.

``python -m tests.support.fleet_worker SPEC EVENTS``: SPEC is JSON (see ``Spec``), EVENTS gets a JSON line for each
change: ``{"gateway", "event": "up" | "down" | "drained", "at": UTC s}``. The backlog is put into a store while its
gateway is down for the first time, as an outage does. Ends with SIGTERM.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from firmware_configs.device import Broker, Identity
from gateway.outbox.models import Lane
from tests.support.real_uplink import RealUplink
from tests.support.uplink_doubles import ListStore, stored

POLL_S = 0.02


class Member(msgspec.Struct):
    """One gateway and its files."""

    gateway: str
    certificate: str
    private_key: str
    trust: str


class Spec(msgspec.Struct):
    """What to run.

    Attributes:
        port: of the broker on 127.0.0.1.
        batches: of the backlog of each gateway.
        size_bytes: of a batch.
        settings: of the profile's ``uplink``.
    """

    port: int
    members: list[Member]
    batches: int
    size_bytes: int
    settings: dict[str, float | str]


def main() -> None:
    spec = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Spec)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(_run(spec, Path(sys.argv[2])))


async def _run(spec: Spec, events: Path) -> None:
    with events.open("a", encoding="utf-8", buffering=1) as sink:
        async with asyncio.TaskGroup() as tasks:
            for member in spec.members:
                tasks.create_task(_live(spec, member, sink.write), name=member.gateway)


async def _live(spec: Spec, member: Member, tell: Callable[[str], int]) -> None:
    """Run one gateway and tell what becomes of it."""
    identity = Identity(
        certificate=Path(member.certificate), private_key=Path(member.private_key), trust=Path(member.trust)
    )
    where = [Broker(host="127.0.0.1", port=spec.port)]
    link = RealUplink(member.gateway, identity, where, ListStore(0), **spec.settings)
    was_up, has_backlog = False, False
    async with link.running():
        while True:
            await asyncio.sleep(POLL_S)
            is_up = link.uplink.state.is_up
            if is_up != was_up:
                was_up = is_up
                tell(_line(member.gateway, "up" if is_up else "down"))
                if not is_up and not has_backlog:
                    has_backlog = True
                    backlog = (stored(n, Lane.BACKLOG, spec.size_bytes) for n in range(1, spec.batches + 1))
                    link.store.batches = {batch.batch_id: batch for batch in backlog}
            if has_backlog and link.store.batches.keys() == set():
                tell(_line(member.gateway, "drained"))
                has_backlog = False
                await asyncio.get_running_loop().create_future()


def _line(gateway: str, event: str) -> str:
    return json.dumps({"gateway": gateway, "event": event, "at": time.time()}) + "\n"


if __name__ == "__main__":
    main()
