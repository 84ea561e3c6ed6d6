"""The test's hand on ``tests.support.record_fleet``: starts it, reads what it tells, waits for recoveries, ends it."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from fleet_deploy.ca.service import IssuedFiles
from tests.support.processes import Process, ending, wait_until
from tests.support.record_fleet import Drained, Look, Member, Spec

LIVE_S = 2.0
"""Records without a receipt are no older than this while all is well: a group, a batch and a commit of the cloud."""
POLL_S = 0.05
START_TIMEOUT_S = 60.0
TAIL_BYTES = 4096


class RunningFleet:
    """Gateways that send."""

    def __init__(self, process: Process, events: Path) -> None:
        self.process = process
        self._events = events

    def look(self) -> Look | None:
        """Return the last look, None before the first."""
        lines = self._tail()
        return msgspec.json.decode(lines[-1], type=Look) if lines else None

    def wait_live(self, since_s: float, timeout_s: float) -> float:
        """Wait until no gateway holds a record from before ``since_s`` and records arrive as they are made.

        Args:
            since_s: monotonic time of a fault, s.
            timeout_s: longest wait.

        Returns:
            When it was so, monotonic s.

        Raises:
            AssertionError: it did not become so in time.
        """
        deadline_s = time.monotonic() + timeout_s
        look = None
        while time.monotonic() < deadline_s:
            look = self.look()
            is_new = look is not None and look.at_s > since_s
            if look is not None and is_new and look.oldest_age_s < min(LIVE_S, look.at_s - since_s):
                return look.at_s
            assert self.process.is_running, self.process.tail()
            time.sleep(POLL_S)
        raise AssertionError(f"not live {timeout_s:.0f} s after the fault: {look}")

    def drain(self, timeout_s: float) -> Drained:
        """Stop producing, wait until every outbox is empty, and return how far each stream went."""
        os.kill(self.process.pid, signal.SIGUSR1)
        wait_until(lambda: not self.process.is_running, timeout_s, f"drained: {self.look()}\n{self.process.tail()}")
        return msgspec.json.decode(self._events.read_bytes().splitlines()[-1], type=Drained)

    def _tail(self) -> list[bytes]:
        if not self._events.exists():
            return []
        with self._events.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read()
        whole = tail[: tail.rfind(b"\n") + 1]
        # the first may be cut
        return whole.splitlines()[-1:]


@contextmanager
def running_fleet(
    folder: Path,
    site: str,
    brokers: list[tuple[str, int]],
    identities: dict[str, IssuedFiles],
    records_per_s: float,
    program: str = "tests.support.record_fleet",
    **uplink: float | str,
) -> Iterator[RunningFleet]:
    """Run gateways until the block ends; returns when every one of them has a connection and records arrive.

    Args:
        folder: for outboxes and events.
        site: site id.
        brokers: (host, port).
        identities: files of each gateway.
        records_per_s: of all together.
        program: module that takes the fleet's arguments.
        uplink: settings of the profile's ``uplink``.
    """
    folder.mkdir(parents=True)
    members = [
        Member(gateway, str(files.certificate), str(files.private_key), str(files.trust))
        for gateway, files in identities.items()
    ]
    spec, events = folder / "spec.json", folder / "events.jsonl"
    content = Spec(site, str(folder / "outboxes"), brokers, members, records_per_s, uplink)
    spec.write_bytes(msgspec.json.encode(content))
    process = Process("fleet", [program, str(spec), str(events)], folder / "fleet.log")
    fleet = RunningFleet(process, events)
    with ending([process]):
        started_s = time.monotonic()
        process.start()
        wait_until(
            lambda: (look := fleet.look()) is not None and look.up == len(members) and look.produced > 0,
            START_TIMEOUT_S, "all gateways connected",
        )  # fmt: skip
        fleet.wait_live(started_s, START_TIMEOUT_S)
        yield fleet
