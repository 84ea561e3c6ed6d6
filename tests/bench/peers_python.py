"""Python programs of others to be measured beside ours, each in an environment of its own under build/peers_py.

A peer is never imported here and never a dependency: it runs as a process of its own, by its environment's Python.
What it is made of is pinned and hashed in tests/bench/peers/NAME.txt.

``python -m tests.bench.peers_python`` makes them all.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "build" / "peers_py"
SCRIPTS = Path(__file__).parent / "peers"
THINGSBOARD = "thingsboard"
PEERS = (THINGSBOARD,)
INSTALL_TIMEOUT_S = 300


class PeerMissingError(Exception):
    """A peer cannot be had on this machine; the text says why."""


def python_of(peer: str) -> Path:
    """Return the Python that has a peer installed; makes its environment the first time.

    Args:
        peer: one of ``PEERS``.

    Raises:
        PeerMissingError: it could not be installed, for instance because this machine reaches no package index.
    """
    requirements = SCRIPTS / f"{peer}.txt"
    python = FOLDER / peer / "bin" / "python"
    stamp = FOLDER / peer / "installed"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return python
    _do([sys.executable, "-m", "venv", "--clear", str(FOLDER / peer)], f"no environment for {peer}")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    _do([*install, "-r", str(requirements)], f"{peer} could not be installed")
    stamp.write_text(wanted, encoding="ascii")
    return python


def environment() -> dict[str, str]:
    """Return the environment variables a peer runs with.

    What it tries to install at run time fails, and what phones home meets a closed port.
    """
    quiet = {"PIP_NO_INDEX": "1", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    return os.environ | quiet | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _do(command: list[str], what: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as exc:
        raise PeerMissingError(f"{what} within {INSTALL_TIMEOUT_S} s") from exc
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise PeerMissingError(f"{what}: {lines[-1] if lines else done.returncode}")


def main() -> int:
    """Make every environment; the exit code is the number of peers that cannot be had."""
    missing = 0
    for peer in PEERS:
        try:
            sys.stdout.write(f"{peer}: {python_of(peer).relative_to(ROOT)}\n")
        except PeerMissingError as exc:
            missing += 1
            sys.stderr.write(f"{peer}: {exc}\n")
    return missing


if __name__ == "__main__":
    sys.exit(main())
