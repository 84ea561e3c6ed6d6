"""The active alarms on disk: one small JSON file, replaced as a whole (temporary file, fsync, rename, fsync of folder).

It is behind the outbox by the few milliseconds between the commit of an alarm's record and the replacement. What a
power cut in between costs is said in ADR 0081. A file that cannot be read is set aside and told; the gateway starts.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from contracts.errors import LinkError
from gateway.alarms.active import SourceAlarm

VERSION = 1
MAX_BYTES = 256 * 1024
"""``MAX_ACTIVE`` alarms of 300 bytes are 75 KiB."""

log = structlog.get_logger()


class _Content(msgspec.Struct, frozen=True):
    """What is on disk; a format of its own, with a version."""

    version: int
    active: list[SourceAlarm]


def read_state(path: Path) -> list[SourceAlarm]:
    """Return the alarms that were active when the file was written, none where there is no file.

    Args:
        path: the file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        content = msgspec.json.decode(data, type=_Content)
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        _set_aside(path, str(exc))
        return []
    if content.version != VERSION:
        _set_aside(path, f"version {content.version}, this program writes {VERSION}")
        return []
    return content.active


def write_state(path: Path, active: Sequence[SourceAlarm]) -> None:
    """Replace the file.

    Args:
        path: the file; its folder exists.
        active: what is active now.

    Raises:
        LinkError: the disk does not take it (reason ``disk``).
    """
    temporary = path.with_suffix(".new")
    try:
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(_Content(VERSION, list(active))))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        hint = "is data_dir writable and not full?"
        raise LinkError("keep active alarms", str(path), exc.strerror or str(exc), hint, "disk") from exc


def _set_aside(path: Path, cause: str) -> None:
    log.error("alarm_state_set_aside", file=path.name, cause=cause)
    try:
        path.replace(path.with_suffix(".damaged"))
    except OSError as exc:
        log.warning("alarm_state_not_moved", file=path.name, cause=exc.strerror or str(exc))
