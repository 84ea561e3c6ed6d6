"""Opens a damaged store through the real outbox, lets the cloud take everything, and says what was wrong."""

import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.codec import decode_batch
from contracts.errors import LinkError, PeerError
from contracts.payloads import Ais, Gap
from gateway.counters import Counters
from gateway.outbox import database
from gateway.outbox.job import Job
from gateway.outbox.models import Lane
from gateway.outbox.outbox import Outbox
from gateway.outbox.salvage.models import Damage
from tests.support.damage.faults import Fault
from tests.support.damage.stores import ROOM_BYTES, Row, Template, receipt_for, settings
from tests.support.gateway_records import GATEWAY, SITE, ManualClock, observation

MAX_ROUNDS = 200
"""Looks at what is there to send; a store of these tests is empty after three."""
TRIES = 6
"""A job that finds damage fails; its caller tries again, as drivers and the uplink do."""
NEW_RECORDS = 3
NEW_KEY = 10**18


@dataclass(slots=True)
class Verdict:
    """What became of one damaged store.

    Attributes:
        wrong: what must not be, in words; empty if all is well.
        is_started: it took and gave records.
        is_salvaged: a new database was made.
        lost: numbers that did not arrive.
        touched: numbers of the batches whose bytes were damaged.
        reported: numbers that the reports call lost.
    """

    wrong: list[str] = field(default_factory=list)
    is_started: bool = False
    is_salvaged: bool = False
    lost: int = 0
    touched: int = 0
    reported: int = 0


class Cloud:
    """Commits what it is given; data win over a declared gap."""

    def __init__(self) -> None:
        self.received: dict[tuple[str, int], int] = {}
        self.declared: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.conflicts: list[str] = []

    def take(self, data: bytes) -> None:
        """Commit a batch."""
        try:
            batch = decode_batch(data)
        except PeerError as exc:
            self.conflicts.append(f"poison arrived: {exc.cause}")
            return
        for record in batch.records:
            if isinstance(record.payload, Gap):
                self.declared[batch.stream_id].append((record.seq, record.last_seq()))
                continue
            key = self.received.setdefault((batch.stream_id, record.seq), record.observed_at_ns)
            if key != record.observed_at_ns:
                self.conflicts.append(f"{batch.stream_id} {record.seq} names two contents")

    def is_declared(self, stream_id: str, seq: int) -> bool:
        """Tell whether a number was declared a gap."""
        return any(first <= seq <= last for first, last in self.declared[stream_id])


async def judge(template: Template, folder: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """Open a store that was damaged, empty it into the cloud, and compare.

    Args:
        template: the store as it was.
        folder: the damaged copy.
        fault: what was done to it.
        monkeypatch: makes the store count as a large one, where the template says so.
    """
    if template.is_large:
        monkeypatch.setattr(database, "FULL_CHECK_MAX_BYTES", 0)
    verdict, cloud = Verdict(), Cloud()
    counters = Counters()
    box = Outbox(folder / "outbox.db", SITE, GATEWAY, settings(), ManualClock(), counters)
    box.start(lambda: None)
    try:
        await _use(box, cloud)
        verdict.is_started = True
    except (LinkError, TimeoutError) as exc:
        verdict.wrong.append(f"it does not start: {exc}")
    damages = box.take_damages()
    quarantined = (await box.stats()).quarantined_batches if verdict.is_started else 0
    await box.close()
    verdict.is_salvaged = counters.total("databases_set_aside") > 0
    if fault.file != "outbox.quarantine" and quarantined < template.set_aside:
        verdict.wrong.append("what was set aside is no longer counted")
    _compare(template, fault, cloud, damages, verdict)
    return verdict


def copy(template: Template, folder: Path) -> Path:
    """Return a copy of a store that may be damaged."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template.folder, folder)
    return folder


async def _use(box: Outbox, cloud: Cloud) -> None:
    """Store something new, send everything, let the scrub read everything, and send what that brought forth."""
    new = [observation(Ais(msg_type=1, mmsi=1), at_ns=NEW_KEY + number) for number in range(NEW_RECORDS)]
    for _ in range(TRIES):
        try:
            await box.append("new", "run", NEW_RECORDS, new)
            await _drain(box, cloud)
            while not await box._disk.do(Job(run=lambda store: store.scrub.step(0), is_write=True)):
                pass
            await _drain(box, cloud)
        except LinkError as exc:
            last = exc
        else:
            return
    raise last


async def _drain(box: Outbox, cloud: Cloud) -> None:
    for _ in range(MAX_ROUNDS):
        given = [item for lane in Lane for item in await box.next_batches(lane, (), 1000, ROOM_BYTES)]
        if not given:
            return
        for item in given:
            cloud.take(item.data)
        await box.settle([(receipt_for(item), None) for item in given])
    raise AssertionError(f"{len(given)} batches are given out for ever, whatever receipts say")


def _compare(template: Template, fault: Fault, cloud: Cloud, damages: list[Damage], verdict: Verdict) -> None:
    verdict.wrong += cloud.conflicts[:3]
    touched = _numbers(row for row in template.rows if any(fault.touches(*extent) for extent in row.extents))
    verdict.touched = len(touched)
    reported = {
        (stream_id, seq)
        for damage in damages
        for stream_id, ranges in damage.lost.items()
        for first, last in ranges
        for seq in range(first, min(last, first + 10**6) + 1)
    }
    verdict.reported = len(reported)
    for name, key in template.keys.items():
        there = cloud.received.get(name)
        if there is None:
            verdict.lost += 1
            if name not in touched:
                verdict.wrong.append(f"{name} is lost, and was not damaged ({fault.kind} of {fault.file})")
            if name not in reported:
                verdict.wrong.append(f"{name} is lost, and not reported")
            if not cloud.is_declared(*name):
                verdict.wrong.append(f"{name} is lost, and not declared")
        elif there != key:
            verdict.wrong.append(f"{name} arrived as another record")
    verdict.wrong += _new_numbers(template, cloud)
    verdict.wrong += _holes(template, cloud)


def _new_numbers(template: Template, cloud: Cloud) -> list[str]:
    """Say where a new record got a number that was given out before, or did not arrive."""
    new = {name: key for name, key in cloud.received.items() if key >= NEW_KEY}
    wrong = [f"{len(new)} of {NEW_RECORDS} new records arrived"] if len(new) != NEW_RECORDS else []
    return wrong + [f"{name} was given out twice" for name in new if name[1] < template.next_seq.get(name[0], 1)]


def _holes(template: Template, cloud: Cloud) -> list[str]:
    """Say which number of a stream nobody can explain: not received now, not received before, not declared."""
    highest = dict.fromkeys(template.next_seq, 0)
    for stream_id, seq in cloud.received:
        highest[stream_id] = max(seq, highest.get(stream_id, 0))
    for stream_id, ranges in cloud.declared.items():
        highest[stream_id] = max(highest.get(stream_id, 0), max((last for _, last in ranges), default=0))
    wrong: list[str] = []
    for stream_id, last in highest.items():
        # numbers below had their receipt before, or are judged one by one
        before = template.next_seq.get(stream_id, 1)
        wrong += [
            f"nobody explains {stream_id} {seq}"
            for seq in range(before, min(last, before + 10**5) + 1)
            if (stream_id, seq) not in cloud.received and not cloud.is_declared(stream_id, seq)
        ]
    return wrong[:3]


def _numbers(rows: Iterable[Row]) -> set[tuple[str, int]]:
    return {(row.stream_id, seq) for row in rows for seq in range(row.first_seq, row.last_seq + 1)}
