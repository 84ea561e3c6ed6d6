"""Puts a gateway's profile on this machine: simulated links, demonstration certificates, broker and folders. Sans-io.

The profile of the port is taken as it is and only what belongs to the place is replaced, so that a demonstration runs
what a quay runs. Rooms meet as files here: the keys are those of docs and profiles, not of another room's models.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_deploy.ca.service import CERTIFICATE, PRIVATE_KEY, TRUST

OUTBOX_CAP_BYTES = 256 * 1024**2
"""A demonstration's gateway: a quarter of a GiB of disk is days of a broken cloud; a quay's profile says 4 GiB."""


@dataclass(frozen=True)
class Place:
    """What belongs to this machine.

    Args:
        identity: folder of certificate, key and trust.
        broker_port: MQTT port on 127.0.0.1.
        data_dir: folder of the gateway.
        local_port: port of its status page on 127.0.0.1.
        links: link of each source that is simulated here, by source id.
    """

    identity: Path
    broker_port: int
    data_dir: Path
    local_port: int
    links: dict[str, dict[str, Any]]


def put_on(template: dict[str, Any], place: Place) -> dict[str, Any]:
    """Return the profile ``template`` as it is run at ``place``."""
    sources = {name: dict(change) for name, change in template.get("sources", {}).items()}
    for name, link in place.links.items():
        sources[name] = sources.get(name, {}) | {"link": link}
    return template | {
        "identity": {
            "certificate": str(place.identity / CERTIFICATE),
            "private_key": str(place.identity / PRIVATE_KEY),
            "trust": str(place.identity / TRUST),
        },
        "brokers": [{"host": "127.0.0.1", "port": place.broker_port}],
        "data_dir": str(place.data_dir),
        "run_dir": str(place.data_dir / "run"),
        "outbox": template.get("outbox", {}) | {"max_bytes": OUTBOX_CAP_BYTES},
        "local": template.get("local", {}) | {"host": "127.0.0.1", "port": place.local_port},
        "sources": sources,
    }
