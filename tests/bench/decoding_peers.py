"""The peers of the decoding benchmark, each a program of its own: CPU seconds and what it found."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from tests.bench.assembly_peers import NPM_FOLDER

ROOT = Path(__file__).parent.parent.parent
_SCRIPT = Path(__file__).parent / "peers" / "signalk_speed.mjs"
_RUN_TIMEOUT_S = 120


def run_signalk(path: Path) -> tuple[float, int]:
    """Return (CPU s, deltas) of one pass of Signal K's parser, its own start and warm-up not counted."""
    command = ["node", str(_SCRIPT), str(NPM_FOLDER), str(path)]
    done = subprocess.run(command, check=True, timeout=_RUN_TIMEOUT_S, capture_output=True, text=True)
    answer = json.loads(done.stdout)
    return answer["cpu_s"], answer["deltas"]


def run_gpsdecode(path: Path) -> tuple[float, int]:
    """Return (CPU s, AIS objects) of one run of gpsdecode, its start counted."""
    cpu_s, output = cpu_of(["gpsdecode", "-j"], path)
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
