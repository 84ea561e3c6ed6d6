"""What time it is on the gateway, and how far that can be believed.

The kernel knows whether a time daemon steers it and bounds the error itself; it is asked by ``adjtimex`` with no
change of modes, which needs no privilege. Where it may not be asked (a strict container) the clock counts as
unsynced: no quality is invented. What a GNSS receiver of the gateway says goes before the kernel's word
(``clock_reference``); it is measured, never set. Stamps of one source never repeat, so that two messages of one ship
that arrived in one read keep their order and stay two points in history.

*Source:* Linux adjtimex(2); RFC 5905 clause 11 (maximum error, synchronisation status).
"""

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from contracts.payloads import Payload
from contracts.records import Clock, ClockState, Observation
from edge_agent.clock_reference import ClockReference, assess

QUALITY_AGE_NS = 1_000_000_000
"""Longest use of one answer of the kernel: its error bound grows by 0.5 ms a second."""

BOOT_ID_PATH = Path("/proc/sys/kernel/random/boot_id")
_BOOT_ID_LENGTH = 8
"""Characters kept of the boot's UUID: 32 bits tell one device's boots apart."""

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_REPEAT_NS = 1_000_000
"""A wall clock at or behind the last stamp by no more than this is the same instant; by more, it was set back."""


class Moment(NamedTuple):
    """One instant by both clocks: UTC ns since 1970, and monotonic ns of this boot."""

    wall_ns: int
    mono_ns: int


class KernelClock(NamedTuple):
    """What the kernel says: whether it is steered, and the bound of its error, µs."""

    is_synchronised: bool
    max_error_us: int


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),  # the kernel writes on; longer than its struct on every architecture
    )


def now() -> Moment:
    """Return this instant."""
    return Moment(time.time_ns(), time.monotonic_ns())


def read_kernel_clock() -> KernelClock | None:
    """Ask the kernel how its clock is steered; ``None`` where that is not permitted or not possible."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    answer = _Timex()
    state = adjtimex(ctypes.byref(answer))
    if state < 0:
        return None
    is_synchronised = state != _TIME_ERROR and not answer.status & _STA_UNSYNC
    return KernelClock(is_synchronised, answer.maxerror)


def read_boot_id(path: Path = BOOT_ID_PATH) -> str:
    """Return a short id of this boot; where the kernel gives none, one of this process.

    Args:
        path: the kernel's file.
    """
    try:
        return path.read_text(encoding="ascii").strip().replace("-", "")[:_BOOT_ID_LENGTH]
    except (OSError, UnicodeDecodeError):
        return f"p{os.getpid():x}"


class ClockProbe:
    """Clock quality, asked at most once a second.

    Args:
        read_kernel: asks the kernel.
        best_reference: returns the best UTC by GNSS at a monotonic time, ns; None if there is none.
        read_now: reads both clocks.
    """

    def __init__(
        self,
        read_kernel: Callable[[], KernelClock | None] = read_kernel_clock,
        best_reference: Callable[[int], ClockReference | None] = lambda _: None,
        read_now: Callable[[], Moment] = now,
    ) -> None:
        self._read_kernel = read_kernel
        self._best_reference = best_reference
        self._read_now = read_now
        self._quality = Clock(ClockState.UNSYNCED)
        self._asked_at_ns: int | None = None

    def quality(self, mono_ns: int) -> Clock:
        """Return the clock quality now.

        Args:
            mono_ns: monotonic, ns.
        """
        if self._asked_at_ns is None or mono_ns - self._asked_at_ns >= QUALITY_AGE_NS:
            self._asked_at_ns = mono_ns
            at = self._read_now()
            self._quality = assess(self._ask(), self._best_reference(at.mono_ns), at.wall_ns, at.mono_ns)
        return self._quality

    def _ask(self) -> Clock:
        kernel = self._read_kernel()
        if kernel is None or not kernel.is_synchronised:
            return Clock(ClockState.UNSYNCED)
        return Clock(ClockState.NTP, kernel.max_error_us / 1000)


class Stamper:
    """Makes observations of one source.

    Args:
        source: driver instance id.
        place: asset that it observes, if fixed.
        boot_id: id of this boot.
        probe: clock quality.
    """

    def __init__(self, source: str, place: str | None, boot_id: str, probe: ClockProbe) -> None:
        self._source = source
        self._place = place
        self._boot_id = boot_id
        self._probe = probe
        self._last = Moment(0, 0)

    def stamp(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> Observation:
        """Return the observation of a payload; later calls get later monotonic stamps even at one ``at``.

        Args:
            payload: what was observed.
            raw: the original sentence, where it is kept.
            at: when its bytes were read.
            place: asset that was observed, where it is not the source's own.
        """
        wall_ns, last_ns = at.wall_ns, self._last.wall_ns
        if last_ns - _REPEAT_NS < wall_ns <= last_ns:
            wall_ns = last_ns + 1
        self._last = Moment(wall_ns, max(at.mono_ns, self._last.mono_ns + 1))
        return Observation(
            observed_at_ns=wall_ns,
            clock=self._probe.quality(at.mono_ns),
            mono_ns=self._last.mono_ns,
            boot_id=self._boot_id,
            source=self._source,
            payload=payload,
            place=place or self._place,
            raw=raw,
        )
