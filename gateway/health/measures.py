"""Brings what the outbox and the kernel count to the policies that tell headroom and the wear of the card."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from contracts.records import RecordClass
from firmware_configs.device import Flash
from firmware_configs.device import Outbox as OutboxSettings
from gateway.health.flash_policy import FlashPolicy, card_life_days
from gateway.health.headroom_policy import Fill, Headroom, HeadroomPolicy
from gateway.health.process_io import written_bytes
from gateway.outbox.models import OutboxStats


@dataclass(frozen=True, slots=True)
class Measured:
    """What one look gives; see ``contracts.health`` for the figures."""

    headroom: Headroom = field(default_factory=Headroom)
    flash_bytes_per_day: float | None = None
    card_life_days: float | None = None


def class_bounds(settings: OutboxSettings) -> dict[RecordClass, int]:
    """Return the bound of each class, bytes.

    Args:
        settings: of the outbox.
    """
    classes = settings.classes
    return {
        RecordClass.ALARM: min(classes.alarm.max_bytes, settings.max_bytes // 2),
        RecordClass.CRANE_CYCLE: classes.crane_cycle.max_bytes,
        RecordClass.TRACK: classes.track.max_bytes,
        RecordClass.TELEMETRY: classes.telemetry.max_bytes,
        RecordClass.LOG: classes.log.max_bytes,
    }


class Measures:
    """See the module.

    Args:
        flash: the card, by its data sheet.
        class_bytes: bounds of single classes.
        read_written: tells what a process has had written, bytes; None where it cannot be known.
    """

    def __init__(
        self,
        flash: Flash,
        class_bytes: Mapping[RecordClass, int],
        read_written: Callable[[int], int | None] = written_bytes,
    ) -> None:
        self._flash = flash
        self._class_bytes = class_bytes
        self._read_written = read_written
        self._headroom = HeadroomPolicy()
        self._wear = FlashPolicy()

    def take(self, stats: OutboxStats, pids: Iterable[int], now_s: float) -> Measured:
        """Look once.

        Args:
            stats: the outbox now.
            pids: of the drivers that run.
            now_s: monotonic, s.
        """
        fill = Fill(stats.streams, stats.used_bytes, stats.capacity_bytes, self._class_bytes)
        found = {pid: self._read_written(pid) for pid in (os.getpid(), *pids)}
        self._wear.note({pid: total for pid, total in found.items() if total is not None}, now_s)
        per_day = None if found[os.getpid()] is None else self._wear.bytes_per_day()
        return Measured(self._headroom.note(fill, now_s), per_day, card_life_days(self._flash, per_day))
