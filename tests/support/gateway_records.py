"""Observations and a clock for the gateway's unit tests."""

import time

from contracts.payloads import Ais, CraneCycle, Log, Payload, Wind
from contracts.records import Clock, ClockState, Observation
from gateway.outbox.eviction_policy import EvictionPolicy
from gateway.outbox.pressure import Limits
from gateway.outbox.space_policy import DiskSpace, SpacePolicy

SITE = "puerto-test"
GATEWAY = "gw-1"


def observation(payload: Payload, at_ns: int = 1_000_000_000, source: str = "ais") -> Observation:
    """Return an observation with a believed clock."""
    return Observation(
        observed_at_ns=at_ns,
        clock=Clock(ClockState.NTP, 1.0),
        mono_ns=at_ns,
        boot_id="boot1",
        source=source,
        payload=payload,
    )


def ais(number: int) -> Observation:
    """Return an AIS observation told apart by its MMSI."""
    return observation(Ais(msg_type=1, mmsi=200_000_000 + number), at_ns=number + 1)


def wind(number: int) -> Observation:
    """Return a wind observation told apart by its time."""
    return observation(Wind(speed_mps=float(number % 40)), at_ns=number + 1)


def log_line(number: int) -> Observation:
    """Return a log event told apart by its name."""
    return observation(Log(level="info", event=f"event_{number}"), at_ns=number + 1)


def crane_cycle(number: int) -> Observation:
    """Return a lift."""
    payload = CraneCycle(plc_boot_id="p", cycle_no=number, locked_at_ns=1, unlocked_at_ns=2)
    return observation(payload, at_ns=number + 1)


class ManualClock:
    """A clock that only moves when told."""

    boot_id = "boot1"

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.now_ns = 10_000_000_000
        self.is_steered = True

    def mono_s(self) -> float:
        return self.now_s

    def wall_ns(self) -> int:
        return self.now_ns

    def is_believed(self) -> bool:
        return self.is_steered

    def age_s(self, at_ns: int, mono_ns: int, boot_id: str) -> float:
        passed_ns = self.now_s * 1e9 - mono_ns if boot_id == "boot1" else self.now_ns - at_ns
        return max(0.0, passed_ns / 1e9)


class RunningClock(ManualClock):
    """The monotonic clock of this machine, and a wall clock that only moves when told."""

    def mono_s(self) -> float:
        return time.monotonic()


def limits(max_bytes: int = 10**9, clock: ManualClock | None = None, space: DiskSpace | None = None) -> Limits:
    """Return limits by one cap only; no class has a bound of its own."""
    return Limits(EvictionPolicy({}), SpacePolicy(max_bytes, 0.1, 0, 10**12, 0), lambda: space, clock or ManualClock())
