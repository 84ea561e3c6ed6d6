"""``python -m edge_agent run``: one driver process, as the gateway starts it (docs/handover.md).

Exit codes: 0 stopped by SIGTERM, 1 the driver crashed, 2 usage or config error, 75 the gateway is gone or another
driver holds the source. The arguments are read by argparse: a quay gateway runs a dozen of these processes, and typer
with rich would add its memory to each.
"""

import argparse
import asyncio
import ctypes
import signal
import sys
from pathlib import Path

from contracts.errors import ConfigError, LinkError
from edge_agent.logs import configure_logs
from edge_agent.runtime import EXIT_CONFIG, EXIT_NO_GATEWAY, AgentSettings, run_agent
from firmware_configs.hardware_profile import Source
from firmware_configs.loading import PROFILES_DIR, load_device

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run one driver; returns its exit code.

    Args:
        arguments: what follows ``run`` on the command line.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else EXIT_CONFIG
    configure_logs(options.log_level)
    if options.die_with_parent:
        _die_with_parent()
    try:
        source = _load(options.config, options.profiles, options.source)
        return asyncio.run(run_agent(AgentSettings(source=source, socket_path=options.socket)))
    except ConfigError as exc:
        sys.stderr.write(f"edge_agent run: {exc}\n")
        return EXIT_CONFIG
    except LinkError as exc:
        sys.stderr.write(f"edge_agent run: {exc}\n")
        return EXIT_NO_GATEWAY


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m edge_agent run", description="run one driver of a gateway")
    parser.add_argument("--config", type=Path, required=True, metavar="DEVICE.yaml", help="device profile")
    parser.add_argument("--source", required=True, help="id of the driver instance in the profile")
    parser.add_argument("--socket", type=Path, required=True, metavar="PATH", help="hand-over socket of the gateway")
    parser.add_argument("--profiles", type=Path, default=PROFILES_DIR, metavar="DIR", help="hardware and sites")
    parser.add_argument("--die-with-parent", action="store_true", help="ask for SIGTERM when the parent ends (Linux)")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    return parser


def _load(config: Path, profiles: Path, name: str) -> Source:
    effective = load_device(config, profiles)
    try:
        return effective.source(name)
    except KeyError as exc:
        known = ", ".join(source.source for source in effective.sources)
        raise ConfigError("find source", str(config), f"no source {name!r}", f"allowed: {known}", "missing") from exc


def _die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the thread that started this process ends; nothing where there is no prctl."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
