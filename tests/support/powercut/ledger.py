"""What was promised up to a point of a recorded run, and what must hence be found after a cut there.

Marks in the log, each one JSON object, are written by ``session`` in the moment of the promise:
``try`` before an append, ``stored`` after it returned; ``hello`` after the gateway told the drivers what it has;
``given`` when a batch went to the cloud; ``receipt`` before a receipt is handed in.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from contracts.batch import Batch
from contracts.payloads import Gap
from contracts.records import RecordClass


class Item(NamedTuple):
    """One observation that was tried; its place in its list is its number in the stream."""

    run: str
    number: int
    key: int
    is_promised: bool = False


@dataclass
class Cloud:
    """What the cloud has of one stream: number to key of the observation; declared gaps; ranges that it took."""

    has: dict[int, int] = field(default_factory=dict)
    gaps: dict[int, str] = field(default_factory=dict)
    ranges: set[tuple[int, int]] = field(default_factory=set)

    def take(self, batch: Batch) -> list[str]:
        """Take a batch by the rule that data win over declared gaps; returns what contradicts what it has."""
        wrong = []
        self.ranges.add((batch.first_seq, batch.last_seq))
        for record in batch.records:
            if isinstance(record.payload, Gap):
                self.declare(record.seq, record.last_seq(), record.payload.reason)
            elif self.has.setdefault(record.seq, record.observed_at_ns) != record.observed_at_ns:
                wrong.append(f"{batch.stream_id} {record.seq} was another record before: the number began anew")
        return wrong

    def declare(self, first: int, last: int, reason: str) -> None:
        """Take a declaration; of a number that was declared before the first reason stands."""
        for seq in range(first, last + 1):
            self.gaps.setdefault(seq, reason)


@dataclass
class Store:
    """What one store (one set of streams) was given, by class, in the order of the numbers."""

    store_id: str = ""
    items: dict[RecordClass, list[Item]] = field(default_factory=lambda: {name: [] for name in RecordClass})


class Ledger:
    """Promises in their order.

    Attributes:
        store: the one that new records go to.
        before: those before it; a salvage begins a new one, and what it saved goes up under its old numbers.
        last_tried: last number that each run tried.
        promised: last number of each run that was told to be on disk.
    """

    def __init__(self) -> None:
        self.store = Store()
        self.before: list[Store] = []
        self.last_tried: dict[str, int] = defaultdict(int)
        self.promised: dict[str, int] = defaultdict(int)
        self.cloud: dict[str, Cloud] = defaultdict(Cloud)
        self._refused: set[tuple[str, int, int]] = set()

    def mark(self, text: bytes) -> None:
        """Take the next mark."""
        said = json.loads(text)
        getattr(self, "_take_" + said.pop("do"))(**said)

    def was_refused(self, stream_id: str, seq: int) -> bool:
        """Tell whether the cloud refused a batch with this number."""
        return any(stream == stream_id and first <= seq <= last for stream, first, last in self._refused)

    def _take_try(self, run: str, last_no: int, items: list[tuple[str, int]]) -> None:
        first_no = last_no - len(items) + 1
        for number, (name, key) in enumerate(items, first_no):
            if number > self.last_tried[run]:
                self.store.items[RecordClass(name)].append(Item(run, number, key))
        self.last_tried[run] = max(self.last_tried[run], last_no)

    def _take_stored(self, run: str, last_no: int) -> None:
        self.promised[run] = max(self.promised[run], last_no)

    def _take_hello(self, store: str, stored: dict[str, int]) -> None:
        """After a crash: what was tried and is not stored will be tried anew, with other numbers."""
        if self.store.store_id not in ("", store):
            self.before.append(self._closed())
            self.store = Store()
        self.store.store_id = store
        for name, items in self.store.items.items():
            self.store.items[name] = [item for item in items if item.number <= stored[item.run]]
        for run, last_no in stored.items():
            self.last_tried[run] = last_no
            self._take_stored(run, last_no)

    def _closed(self) -> Store:
        closed = Store(self.store.store_id)
        for name, items in self.store.items.items():
            closed.items[name] = [item._replace(is_promised=item.number <= self.promised[item.run]) for item in items]
        return closed

    def _take_given(self, stream: str, first: int, last: int, records: list[Any]) -> None:
        cloud = self.cloud[stream]
        cloud.ranges.add((first, last))
        for seq, end, key, reason in records:
            if reason:
                cloud.declare(seq, end, reason)
            else:
                cloud.has.setdefault(seq, key)

    def _take_receipt(self, stream: str, first: int, last: int, outcome: str) -> None:
        if outcome == "refused":
            self._refused.add((stream, first, last))
