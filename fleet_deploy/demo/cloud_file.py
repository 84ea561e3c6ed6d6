"""Writes the cloud's settings of a demonstration (TOML; keys as config/embedded.toml). Sans-io."""

import json
from dataclasses import dataclass
from pathlib import Path

from fleet_deploy.ca.service import CERTIFICATE, PRIVATE_KEY, TRUST

HISTORY_MAX_GIB = 2.0
"""Days of the demonstration's traffic, on a disk that was not bought for it."""


@dataclass(frozen=True)
class CloudPlan:
    """What the cloud of a demonstration is told."""

    http_port: int
    bus_port: int
    identity: Path
    folder: Path
    history: Path
    chart: Path
    control_room: Path | None


def cloud_toml(plan: CloudPlan) -> str:
    """Return the settings file."""
    lines = [
        "[http]",
        'host = "127.0.0.1"',
        f"port = {plan.http_port}",
        "",
        "[bus]",
        f"servers = [{_text(f'tls://127.0.0.1:{plan.bus_port}')}]",
        f"certificate = {_text(plan.identity / CERTIFICATE)}",
        f"private_key = {_text(plan.identity / PRIVATE_KEY)}",
        f"trust = {_text(plan.identity / TRUST)}",
        "",
        "[history]",
        f"path = {_text(plan.history)}",
        f"max_gib = {HISTORY_MAX_GIB}",
        "",
        "[operations]",
        f"url = {_text(f'sqlite+aiosqlite:///{plan.folder}/operations.sqlite')}",
        "",
        "[site]",
        f"chart = {_text(plan.chart)}",
    ]
    if plan.control_room is not None:
        lines += ["", "[control_room]", f"dir = {_text(plan.control_room)}"]
    return "\n".join(lines) + "\n"


def _text(value: str | Path) -> str:
    # a JSON string without surrogates is a TOML basic string
    return json.dumps(str(value), ensure_ascii=False)
