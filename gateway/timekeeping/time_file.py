"""What the gateway knows of time on disk: one small JSON file, replaced as a whole (temporary, fsync, rename, fsync).

A file that cannot be read is set aside and told; the gateway starts with the beginning of its certificate as the floor.
"""

import os
from pathlib import Path

import msgspec
import structlog

from contracts.errors import LinkError
from gateway.outbox.backfill import TimeReference

VERSION = 1
MAX_REFERENCES = 64
"""Boots whose records may still wait: a gateway that starts anew every day has two months of them. The oldest goes; its
records, if any are left, stay marked as unsynced."""
MAX_BYTES = 64 * 1024
"""``MAX_REFERENCES`` of 130 bytes are 8 KiB."""

log = structlog.get_logger()


class KnownTimes(msgspec.Struct, frozen=True):
    """Content of the file.

    Attributes:
        known_ns: UTC ns that is past for sure, 0 if nothing is known.
        references: of the last boots, oldest first.
    """

    known_ns: int = 0
    references: list[TimeReference] = msgspec.field(default_factory=list)


class _Content(msgspec.Struct, frozen=True):
    """What is on disk; a format of its own, with a version."""

    version: int
    known_ns: int
    references: list[TimeReference]


def read_times(path: Path) -> KnownTimes:
    """Return what the file holds, nothing where there is none.

    Args:
        path: the file.
    """
    try:
        with path.open("rb") as file:
            content = msgspec.json.decode(file.read(MAX_BYTES), type=_Content)
    except FileNotFoundError:
        return KnownTimes()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        _set_aside(path, str(exc))
        return KnownTimes()
    if content.version != VERSION:
        _set_aside(path, f"version {content.version}, this program writes {VERSION}")
        return KnownTimes()
    return KnownTimes(content.known_ns, content.references[-MAX_REFERENCES:])


def write_times(path: Path, times: KnownTimes) -> None:
    """Replace the file.

    Args:
        path: the file; its folder exists.
        times: what is known; of more than ``MAX_REFERENCES`` references the newest are kept.

    Raises:
        LinkError: the disk does not take it (reason ``disk``).
    """
    temporary = path.with_suffix(".new")
    try:
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(_Content(VERSION, times.known_ns, times.references[-MAX_REFERENCES:])))
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
        raise LinkError("keep known time", str(path), exc.strerror or str(exc), hint, "disk") from exc


def _set_aside(path: Path, cause: str) -> None:
    log.error("known_time_set_aside", file=path.name, cause=cause)
    try:
        path.replace(path.with_suffix(".damaged"))
    except OSError as exc:
        log.warning("known_time_not_moved", file=path.name, cause=exc.strerror or str(exc))
