"""The endpoints file: where the demonstration hardware is found.

JSON, by source id, each the link that a device profile takes: ``{"ais": {"kind": "serial", "device": …}, …}``. It
appears whole or not at all, once everything listens, and goes away with the hardware.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from contracts.errors import ConfigError


def write_endpoints(path: Path, links: Mapping[str, Mapping[str, object]]) -> None:
    """Replace the file: temporary file, fsync, rename, fsync of the folder.

    Args:
        path: the file.
        links: link settings by source id.

    Raises:
        ConfigError: the folder cannot be written.
    """
    text = json.dumps(links, indent=2) + "\n"
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        raise ConfigError("write endpoints", str(path), exc.strerror or str(exc), "check --out", "unwritable") from exc


def remove_endpoints(path: Path, links: Mapping[str, Mapping[str, object]]) -> None:
    """Remove the file if it is still ours: another simulation may have written it since."""
    try:
        if json.loads(path.read_text(encoding="utf-8")) == links:
            path.unlink()
    except (OSError, ValueError):
        # nothing of ours is left to remove
        return
