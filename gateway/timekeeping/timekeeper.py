"""Shell: looks at the clock once a second, keeps what it learns on disk, and tells the cloud when the time was known.

The record for the cloud comes before the file: a power cut in between makes a second record of the same boot, which
changes nothing there.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from contracts.errors import LinkError
from contracts.payloads import ClockSet, Payload
from gateway.outbox.backfill import DRIFT_PPM, TimeReference
from gateway.side_thread import SideThread
from gateway.timekeeping.floor_policy import BelievedTime, JudgeBy, TimeFloor
from gateway.timekeeping.reference_policy import ReferencePolicy
from gateway.timekeeping.time_file import MAX_REFERENCES, KnownTimes, read_times, write_times

LOOK_INTERVAL_S = 1.0
WRITE_INTERVAL_NS = 600 * 1_000_000_000
"""The known time is written this often: a floor that is ten minutes old judges a certificate as well, and 144 small
files a day are no burden for a card."""

log = structlog.get_logger()


class Timepiece(Protocol):
    """Both clocks of the device."""

    @property
    def boot_id(self) -> str:
        """Id of this boot."""
        ...

    def mono_ns(self) -> int:
        """Return the monotonic clock, ns."""
        ...

    def wall_ns(self) -> int:
        """Return UTC ns by the system clock."""
        ...

    def believed_time(self) -> BelievedTime | None:
        """Return the true time now, None if it is not known."""
        ...


class Journal(Protocol):
    """Where the record for the cloud goes."""

    def write(self, payload: Payload) -> None:
        """Let it wait for ``flush``."""
        ...

    async def flush(self) -> bool:
        """Store what waits; False if the disk does not take it now."""
        ...


class Timekeeper:
    """See the module; ``reference`` and ``judge_by`` may be called from any thread.

    Args:
        path: the file.
        clock: time of the device.
        journal: for the record of the moment.
        floor_ns: UTC ns that is past for sure, whatever the file says; 0 if nothing is known.
    """

    def __init__(self, path: Path, clock: Timepiece, journal: Journal, floor_ns: int = 0) -> None:
        self._path = path
        self._thread = SideThread("known-time")
        self._clock = clock
        self._journal = journal
        times = read_times(path)
        self._references = {item.boot_id: item for item in times.references}
        self._floor = TimeFloor(times.known_ns, clock.mono_ns())
        self._floor.raise_to(floor_ns, clock.mono_ns())
        self._policy = ReferencePolicy(clock.boot_id)
        self._pending: TimeReference | None = None
        self._written_at_ns: int | None = None
        self._is_unwritable = False

    def reference(self, boot_id: str) -> TimeReference | None:
        """Return when a boot first knew the time, None if it never did."""
        return self._references.get(boot_id)

    def judge_by(self) -> JudgeBy | None:
        """Return the time that certificates are judged by, None for the system clock's."""
        return self._floor.judge_by(self._clock.wall_ns(), self._clock.mono_ns(), self._clock.believed_time())

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def look(self) -> None:
        """Look at the clock once."""
        known = self._clock.believed_time()
        if known is not None:
            self._floor.believe(known)
        if self._clock.boot_id not in self._references:
            await self._seek_reference(known)
        now_ns = self._clock.mono_ns()
        if self._written_at_ns is None or now_ns - self._written_at_ns >= WRITE_INTERVAL_NS:
            await self.keep()

    async def keep(self) -> None:
        """Write down what is known now; what the disk does not take is tried again in ten minutes."""
        now_ns = self._clock.mono_ns()
        self._written_at_ns = now_ns
        times = KnownTimes(self._floor.floor_ns(now_ns), list(self._references.values()))
        try:
            await self._thread.do(partial(write_times, self._path, times))
        except LinkError as exc:
            if not self._is_unwritable:
                log.warning("known_time_not_kept", file=self._path.name, cause=exc.cause, hint=exc.hint)
            self._is_unwritable = True
        else:
            if self._is_unwritable:
                log.info("known_time_kept", file=self._path.name)
            self._is_unwritable = False

    async def _seek_reference(self, known: BelievedTime | None) -> None:
        if self._pending is None:
            self._pending = self._policy.judge(known)
            if self._pending is None:
                return
            log.info("clock_set", source=self._pending.source.value, error_ms=self._pending.error_ms)
            self._journal.write(_clock_set(self._pending))
        if await self._journal.flush():
            kept = [*self._references.values(), self._pending][-MAX_REFERENCES:]
            # replaced, not changed: the writer's thread may be reading
            self._references = {item.boot_id: item for item in kept}
            self._pending = None
            await self.keep()


def _clock_set(reference: TimeReference) -> ClockSet:
    return ClockSet(
        boot_id=reference.boot_id,
        mono_ns=reference.mono_ns,
        utc_ns=reference.utc_ns,
        error_ms=reference.error_ms,
        source=reference.source.value,
        drift_ppm=DRIFT_PPM,
    )
