"""Turns the settings of the outbox into what bounds a database: the one on the disk, and the one in memory."""

from pathlib import Path

from contracts.records import RecordClass
from firmware_configs.device import Outbox as OutboxSettings
from gateway.outbox.eviction_policy import REASON_RING_OVERFLOW, Bound, EvictionPolicy
from gateway.outbox.ports import OutboxClock
from gateway.outbox.pressure import Limits
from gateway.outbox.salvage.set_aside import give_up_oldest
from gateway.outbox.space import disk_space
from gateway.outbox.space_policy import SpacePolicy


def limits_of(settings: OutboxSettings, path: Path, clock: OutboxClock) -> Limits:
    """Return the limits of a database by its file."""
    disk = settings.disk
    space = SpacePolicy(settings.max_bytes, disk.share, disk.min_bytes, disk.max_bytes, disk.floor_bytes)
    return Limits(
        EvictionPolicy(_bounds(settings, settings.max_bytes)),
        space,
        lambda: disk_space(path.parent),
        clock,
        lambda: give_up_oldest(path),
    )


def ring_limits_of(settings: OutboxSettings, clock: OutboxClock) -> Limits:
    """Return the limits of the database in memory: nothing leaves it by the disk's fill, everything by its own cap."""
    space = SpacePolicy(settings.ring_bytes, 0, 0, 0, 0, REASON_RING_OVERFLOW)
    return Limits(EvictionPolicy(_bounds(settings, settings.ring_bytes)), space, lambda: None, clock)


def _bounds(settings: OutboxSettings, max_bytes: int) -> dict[RecordClass, Bound]:
    """Return the bound of each class; alarms, which nobody pushes out, may take half of the whole at most."""
    found = {}
    for name in RecordClass:
        bound = getattr(settings.classes, name.value)
        size_bytes = min(bound.max_bytes, max_bytes // 2) if name is RecordClass.ALARM else bound.max_bytes
        found[name] = Bound(size_bytes, bound.max_age_h * 3600)
    return found
