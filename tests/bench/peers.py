"""The peers of the decoding benchmark: what is here is run as a program of its own, what is not is named.

Signal K's parser is installed by npm below build/peers, which nothing of the product reads; gpsdecode is Debian's.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PEERS = ROOT / "build" / "peers"
SIGNALK = "@signalk/nmea0183-signalk"
SIGNALK_VERSION = "3.20.1"
_SCRIPT = Path(__file__).parent / "signalk_speed.mjs"
_INSTALL_TIMEOUT_S = 180
_RUN_TIMEOUT_S = 120


def gpsdecode() -> str | None:
    """Return the program, or None if it is not here."""
    return shutil.which("gpsdecode")


def signalk() -> Path | None:
    """Return the folder that holds Signal K's parser, installed if need be; None if that cannot be."""
    package = PEERS / "node_modules" / SIGNALK / "package.json"
    npm = shutil.which("npm")
    if not package.exists() and npm is not None and shutil.which("node") is not None:
        PEERS.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(PEERS), "--no-audit", "--no-fund", "--silent",
                   f"{SIGNALK}@{SIGNALK_VERSION}"]  # fmt: skip
        try:
            subprocess.run(command, check=True, timeout=_INSTALL_TIMEOUT_S, capture_output=True)
        except (OSError, subprocess.SubprocessError) as exc:
            sys.stderr.write(f"{SIGNALK} cannot be installed: {exc}\n")
    return PEERS if package.exists() else None


def run_signalk(folder: Path, path: Path) -> tuple[float, int]:
    """Return (CPU s, deltas) of one pass of Signal K's parser, its own start and warm-up not counted."""
    command = ["node", str(_SCRIPT), str(folder), str(path)]
    done = subprocess.run(command, check=True, timeout=_RUN_TIMEOUT_S, capture_output=True, text=True)
    answer = json.loads(done.stdout)
    return answer["cpu_s"], answer["deltas"]


def run_gpsdecode(program: str, path: Path) -> tuple[float, int]:
    """Return (CPU s, AIS objects) of one run of gpsdecode, its start counted."""
    cpu_s, output = cpu_of([program, "-j"], path)
    return cpu_s, output.count(b'"class":"AIS"')


def run_decode_command(path: Path) -> tuple[float, int]:
    """Return (CPU s, records) of one run of our own command, its start counted."""
    cpu_s, output = cpu_of([sys.executable, "-m", "edge_agent", "decode", "--json", "-"], path)
    return cpu_s, output.count(b"\n")


def cpu_of(command: list[str], path: Path) -> tuple[float, bytes]:
    """Return (CPU s of the process, its output) of a program that reads ``path`` from its standard input."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with path.open("rb") as log:
        done = subprocess.run(
            command, stdin=log, check=True, timeout=_RUN_TIMEOUT_S, capture_output=True, cwd=ROOT, env=os.environ
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout
