"""``record_fleet`` with an eye on each gateway: when its connection comes and goes, and when receipts come.

``python -m tests.support.watched_fleet SPEC EVENTS``: as ``record_fleet``; beside EVENTS it writes ``links.jsonl``, a
line (``Link``) for each change.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import structlog

from tests.support.record_fleet import FleetMember, Spec, run

LOOK_S = 0.01
LINKS = "links.jsonl"


class Link(msgspec.Struct, frozen=True):
    """One gateway's uplink when something has changed.

    Attributes:
        gateway: which.
        at_s: monotonic time of the machine, s.
        is_up: it has a connection.
        broker: ``host:port`` of the connection it has, or tries or had.
        answered: numbers settled by the cloud since the start.
    """

    gateway: str
    at_s: float
    is_up: bool
    broker: str
    answered: int


class Links:
    """What ``links.jsonl`` tells."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LINKS

    def of(self, gateway: str = "") -> list[Link]:
        """Return the lines of one gateway, or all, oldest first."""
        lines = self._path.read_bytes().split(b"\n")[:-1] if self._path.exists() else []
        links = [msgspec.json.decode(line, type=Link) for line in lines]
        return [link for link in links if gateway in ("", link.gateway)]

    def last(self) -> dict[str, Link]:
        """Return how each gateway stands now."""
        return {link.gateway: link for link in self.of()}

    def up_again_s(self, gateway: str, since_s: float) -> float | None:
        """Return when a gateway has first had a connection again after losing the one it had at ``since_s``."""
        was_down = False
        for link in self.of(gateway):
            if link.at_s < since_s:
                continue
            if link.is_up and was_down:
                return link.at_s
            was_down = was_down or not link.is_up
        return None

    def silence_s(self, gateway: str, since_s: float, until_s: float) -> float:
        """Return the longest time without a receipt between two moments, the one that ``since_s`` is in whole."""
        moments = list(self._answers(gateway))
        before = [at_s for at_s in moments if at_s <= since_s][-1:] or [since_s]
        within = [at_s for at_s in moments if since_s < at_s <= until_s]
        return max(later - earlier for earlier, later in pairwise([*before, *within, until_s]))

    def _answers(self, gateway: str) -> Iterator[float]:
        answered = 0
        for link in self.of(gateway):
            if link.answered > answered:
                answered = link.answered
                yield link.at_s


def main() -> None:
    spec = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Spec)
    events = Path(sys.argv[2])
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))

    async def watch(members: list[FleetMember]) -> None:
        names = [member.gateway for member in spec.members]
        seen: dict[str, tuple[bool, str, int]] = {}
        with events.with_name(LINKS).open("ab", buffering=0) as sink:
            while True:
                for name, member in zip(names, members, strict=True):
                    state = member.uplink.state
                    answered = sum(lane.answered_records for lane in member.uplink.figures().lanes)
                    now = (state.is_up, state.broker, answered)
                    if seen.get(name) != now:
                        seen[name] = now
                        sink.write(msgspec.json.encode(Link(name, time.monotonic(), *now)) + b"\n")
                await asyncio.sleep(LOOK_S)

    asyncio.run(run(spec, events, watch))


if __name__ == "__main__":
    main()
