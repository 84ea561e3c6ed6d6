"""Files of a salvage: which is which, and moving them so that a cut at any moment loses nothing.

A salvage writes its new database under a name of its own. Only when that is complete and synced it gets the name that
says so (``.salvaged-…``): from then on the damaged files are moved aside, the mark of the old database is dropped, and
the new one takes its place, which the next start goes on with if this one does not live to do it. Until then the
damaged files lie where they lay.
"""

import os
import time
from pathlib import Path

import msgspec
import structlog

from gateway.outbox.durable_files import sync_folder
from gateway.outbox.mark_file import mark_path
from gateway.outbox.salvage.models import Damage

MAX_KEPT = 4
"""Damaged databases kept for diagnosis; beyond it the oldest goes, because they share the disk with the new."""
MAX_KEPT_BYTES = 256 * 1024 * 1024
"""Of those but the newest: two hundredths of the smallest card in use."""
_LOG = "-wal"
_REPORT = ".json"
_TOLD = ".told.json"

log = structlog.get_logger()


def target_of(path: Path) -> Path:
    """Return where the new database is made."""
    return path.with_name(f"{path.name}.salvage")


def discard_target(path: Path) -> None:
    """Delete what a salvage that was cut off has left of its new database.

    Raises:
        OSError: it cannot be deleted.
    """
    for suffix in ("", _LOG, "-shm", "-journal", _REPORT):
        target = target_of(path)
        target.with_name(target.name + suffix).unlink(missing_ok=True)


def new_name(path: Path) -> str:
    """Return the name that a damaged database gets."""
    return f"{path.name}.damaged-{time.time_ns()}"


def complete(path: Path, damage: Damage) -> None:
    """Say that the new database is whole: its bytes and its report are synced first.

    Raises:
        OSError: the disk does not take it; the damaged files lie where they lay.
    """
    with _report_of_target(path).open("wb") as file:
        file.write(msgspec.json.encode(damage))
        file.flush()
        os.fsync(file.fileno())
    target = target_of(path)
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    target.replace(path.with_name(damage.file.replace(".damaged-", ".salvaged-")))
    sync_folder(path.parent)


def finish(path: Path) -> None:
    """Move what a complete salvage left to be moved; no connection is open.

    Raises:
        OSError: files cannot be moved now; the next call goes on.
    """
    for salvaged in sorted(path.parent.glob(f"{path.name}.salvaged-*[0-9]")):
        aside = path.with_name(salvaged.name.replace(".salvaged-", ".damaged-"))
        for suffix in ("", _LOG):
            source = path.with_name(path.name + suffix)
            if source.exists():
                source.replace(aside.with_name(aside.name + suffix))
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
        # the mark of the old database would say of the new one that it had gone back
        mark_path(path).unlink(missing_ok=True)
        if _report_of_target(path).exists():
            _report_of_target(path).replace(aside.with_name(aside.name + _REPORT))
        sync_folder(path.parent)
        salvaged.replace(path)
        sync_folder(path.parent)
        forget_oldest(path)


def untold(path: Path) -> list[Damage]:
    """Return the reports of salvages that nobody was told of yet; a report may be told twice, never not at all."""
    return [_report(file) for file in sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]{_REPORT}"))]


def tell(path: Path, file: str) -> None:
    """Note that the report of a damaged database was told, by its name.

    Raises:
        OSError: it cannot be noted now.
    """
    report = path.with_name(file + _REPORT)
    if report.exists():
        report.replace(path.with_name(file + _TOLD))


def forget_oldest(path: Path) -> None:
    """Delete the oldest damaged databases beyond the caps; the newest always stays."""
    kept = kept_files(path)
    sizes = [_size(file) for file in kept]
    while len(kept) > 1 and (len(kept) > MAX_KEPT or sum(sizes[:-1]) > MAX_KEPT_BYTES):
        oldest = kept.pop(0)
        log.info("outbox_set_aside_forgotten", file=oldest.name, size_bytes=sizes.pop(0))
        _delete(oldest)


def give_up_oldest(path: Path) -> bool:
    """Delete the oldest damaged database, to make room on a disk that is short of it; False if there is none.

    What could be read of it lies in the new database: it goes before any record does.
    """
    kept = kept_files(path)
    if not kept:
        return False
    try:
        log.warning("outbox_set_aside_given_up", file=kept[0].name, size_bytes=_size(kept[0]), reason="disk_space")
        _delete(kept[0])
    except OSError as exc:  # a disk that takes nothing now must not fail what is stored
        log.warning("outbox_set_aside_stays", file=kept[0].name, cause=exc.strerror or str(exc))
        return False
    return True


def kept_files(path: Path) -> list[Path]:
    """Return the damaged databases that are kept, the oldest first."""
    return sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]"))


def _report_of_target(path: Path) -> Path:
    target = target_of(path)
    return target.with_name(target.name + _REPORT)


def _report(file: Path) -> Damage:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Damage)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        cause = f"the report of its salvage cannot be read: {exc}"
        name = file.name.removesuffix(_REPORT)
        return Damage(file=name, cause=cause, lost={}, declared={}, saved_batches=0, saved_records=0)


def _size(aside: Path) -> int:
    files = [aside, aside.with_name(aside.name + _LOG)]
    return sum(file.stat().st_size for file in files if file.exists())


def _delete(aside: Path) -> None:
    for suffix in (_LOG, _REPORT, _TOLD, ""):
        aside.with_name(aside.name + suffix).unlink(missing_ok=True)
