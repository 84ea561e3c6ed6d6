"""Doubles of the ports that the hand-over uses: a store whose disk can stand still or fail, a listener to a driver."""

import asyncio
from collections.abc import Sequence

from contracts.errors import LinkError
from contracts.records import Observation
from edge_agent.handover.protocol import ActiveAlarm, Heartbeat
from gateway.outbox.models import Appended


class SlowStore:
    """The store's port with a gate before each commit."""

    def __init__(self, stored_no: int = 0) -> None:
        self.number = stored_no
        self.items: list[Observation] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_broken = False
        self.appends = 0
        self.waiting = 0
        self.alarms: list[ActiveAlarm] = []

    async def append(self, source: str, run_id: str, last_no: int, observations: Sequence[Observation]) -> Appended:
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        if self.is_broken:
            raise LinkError("append", source, "disk full", "", "disk")
        assert (source, run_id) == ("ais", "r")
        assert last_no - len(observations) == self.number
        self.appends += 1
        self.items += observations
        self.number = last_no
        return Appended(last_no)

    async def stored_no(self, source: str, run_id: str) -> int:
        assert (source, run_id) == ("ais", "r")
        return self.number

    def active_alarms(self, source: str) -> list[ActiveAlarm]:
        assert source == "ais"
        return self.alarms


class Events:
    def __init__(self) -> None:
        self.hellos: list[int] = []
        self.beats: list[Heartbeat] = []
        self.holds: list[bool] = []
        self.count = 0

    def said_hello(self, pid: int) -> None:
        self.hellos.append(pid)

    def beat(self, heartbeat: Heartbeat) -> None:
        self.beats.append(heartbeat)

    def held_up(self, *, is_held_up: bool) -> None:
        self.holds.append(is_held_up)

    def stored(self, count: int, last_at_ns: int) -> None:
        assert last_at_ns > 0
        self.count += count

    def misbehaved(self, reason: str, cause: str) -> None:
        raise AssertionError(reason, cause)
