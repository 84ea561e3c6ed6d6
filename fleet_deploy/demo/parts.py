"""The processes of a demonstration: their commands, and the order in which they stop. Sans-io."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet_deploy.demo.layout import SITE, SOURCE, Layout
from fleet_deploy.processes.supervisor import Part

HARDWARE, BROKER, CLOUD, GATEWAY = range(4)
"""Stages: gateways stop first and hand over what they hold, the hardware last."""
CLOUD_VARIABLES = "PORTTRACK__"
"""Prefix of the cloud's settings in the environment: those of the caller's shell are not meant for a demonstration."""


@dataclass(frozen=True)
class Ports:
    """TCP ports on 127.0.0.1; ``local``: status page of each gateway."""

    http: int
    mqtt: int
    client: int
    monitor: int
    local: dict[str, int]


def hardware_part(layout: Layout, seed: int) -> Part:
    """Return the simulated hardware."""
    command = [sys.executable, "-m", "edge_agent", "simulate", "--site", SITE, "--seed", str(seed)]
    command += ["--out", str(layout.endpoints)]
    # an old file would name endpoints that are gone
    return Part("hardware", command, HARDWARE, layout.log("hardware"), lambda: layout.endpoints.unlink(missing_ok=True))


def broker_part(layout: Layout, ports: Ports) -> Part:
    """Return the broker under its own supervisor."""
    command = [sys.executable, "-m", "fleet_deploy", "broker", "serve"]
    command += ["--ca", str(layout.authority), "--dir", str(layout.broker), "--mqtt-port", str(ports.mqtt)]
    command += ["--client-port", str(ports.client), "--monitor-port", str(ports.monitor)]
    return Part("broker", command, BROKER, layout.log("broker"))


def cloud_part(layout: Layout) -> Part:
    """Return the cloud, all roles in one process."""
    command = [sys.executable, "-m", "cloud_api", "serve", "--config", str(layout.cloud_config)]
    return Part("cloud", [*command, "--roles", "api,store,track"], CLOUD, layout.log("cloud"))


def gateway_part(layout: Layout, gateway: str) -> Part:
    """Return one gateway, which starts its drivers."""
    command = [sys.executable, "-m", "gateway", "run", "--config", str(layout.device(gateway))]
    return Part(gateway, command, GATEWAY, layout.log(gateway))


def part_environment(ours: Mapping[str, str], source: Path = SOURCE) -> dict[str, str]:
    """Return the environment of every part, made from ours."""
    kept = {name: value for name, value in ours.items() if not name.startswith(CLOUD_VARIABLES)}
    path = [str(source), *(entry for entry in ours.get("PYTHONPATH", "").split(":") if entry)]
    return kept | {"PYTHONPATH": ":".join(path), "PYTHONUNBUFFERED": "1"}
