"""Other decoders on the lines of one link: what each makes of them, as (MMSI, name, destination).

pyais is a library of the product. gpsdecode (Debian's gpsd-clients) and Signal K's parser (npm, in a folder of
its own under build/) run as programs of their own.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyais.exceptions import AISBaseException
from pyais.stream import IterMessages

ROOT = Path(__file__).parent.parent.parent
NPM_FOLDER = ROOT / "build" / "peers"
NPM_PACKAGE = "@signalk/nmea0183-signalk@3"
TIMEOUT_S = 180

Ship = tuple[int, str, str]
Peer = Callable[[list[bytes]], list[Ship]]


def pyais(lines: list[bytes]) -> list[Ship]:
    """Bare pyais: assembles without a time limit, checks nothing."""
    ships: list[Ship] = []
    for message in IterMessages(lines):
        try:
            decoded: Any = message.decode()
        except AISBaseException:
            continue  # not decoded, and so missing
        ships.append((decoded.mmsi, decoded.shipname, decoded.destination))
    return ships


def gpsdecode(lines: list[bytes]) -> list[Ship]:
    """gpsd's decoder: one slot a channel."""
    messages = [json.loads(text) for text in _run(["gpsdecode", "-j"], lines)]
    return [(item["mmsi"], item["shipname"], item["destination"]) for item in messages if item.get("type") == 5]


def signalk(lines: list[bytes]) -> list[Ship]:
    """Signal K's NMEA 0183 parser: one slot a parser."""
    script = Path(__file__).parent / "peers" / "signalk.cjs"
    ships = [json.loads(text) for text in _run(["node", str(script), str(NPM_FOLDER)], lines)]
    return [(int(ship["mmsi"]), ship.get("name", ""), ship.get("destination", "")) for ship in ships]


def available() -> tuple[dict[str, Peer], dict[str, str]]:
    """Return the peers that can run here, and why the others cannot."""
    peers: dict[str, Peer] = {"pyais": pyais}
    missing: dict[str, str] = {}
    if shutil.which("gpsdecode") is not None:
        peers["gpsdecode"] = gpsdecode
    else:
        missing["gpsdecode"] = "Debian package gpsd-clients is not installed"
    fault = _install_signalk()
    if fault is None:
        peers["signalk"] = signalk
    else:
        missing["signalk"] = fault
    return peers, missing


def _install_signalk() -> str | None:
    if (NPM_FOLDER / "node_modules" / "@signalk" / "nmea0183-signalk").is_dir():
        return None
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "no npm"
    NPM_FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(NPM_FOLDER), "--no-audit", "--no-fund", "--silent", NPM_PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"npm did not install it within {TIMEOUT_S} s"
    return None if done.returncode == 0 else "npm could not install it"


def _run(command: list[str], lines: list[bytes]) -> list[str]:
    text = b"".join(line + b"\r\n" for line in lines)
    done = subprocess.run(command, input=text, capture_output=True, timeout=TIMEOUT_S, check=True)
    return done.stdout.decode("utf-8", "replace").splitlines()
