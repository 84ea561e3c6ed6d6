"""The real outbox as the rest of a gateway uses it, every promise of it noted at the moment it is made."""

import json
import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contracts.batch import Batch
from contracts.codec import decode_batch
from contracts.payloads import Ais, Alarm, CraneCycle, Gap, Log, Payload, Wind
from contracts.receipt import Outcome, Receipt
from contracts.records import Observation, class_of
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.models import Lane, StoredBatch
from gateway.outbox.outbox import Outbox
from gateway.outbox.quarantine import read as read_quarantine
from tests.support.gateway_records import GATEWAY, SITE, ManualClock, observation

DATA_FOLDER = "data"
"""Below the recorded folder, so that the making of the data folder itself is cut, too."""
RUNS = ("a", "b")
ROOM_BYTES = 10**6
MAX_BYTES = 300_000
"""Small, so that a run of seconds fills it and something has to be given up."""
MINUTE_NS = 60 * 10**9


def settings() -> OutboxSettings:
    """Return caps below what a profile may ask for: a full store in a run of seconds."""
    return OutboxSettings().model_copy(
        update={"group_commit_ms": 1, "seal_records": 20, "seal_after_ms": 50, "max_bytes": MAX_BYTES}
    )


class Maker:
    """Makes observations, each told apart by its time.

    Args:
        dice: of their kinds.
        first_key: where the keys go on.
    """

    def __init__(self, dice: random.Random, first_key: int = 1) -> None:
        self._dice = dice
        self._next = first_key

    def bulk(self) -> Observation:
        """Return something that may wait for the group commit."""
        kind = self._dice.choice(("ais", "ais", "wind", "log"))
        if kind == "log":
            # what does not compress fills the store
            noise = self._dice.randbytes(self._dice.choice((50, 50, 1500, 3000))).hex()
            return self.make(Log(level="info", event="noise"), raw=noise)
        return self.make(Ais(msg_type=1, mmsi=224_000_000 + self._next % 5) if kind == "ais" else Wind(speed_mps=1.0))

    def urgent(self) -> Observation:
        """Return something that is on the disk when its append returns."""
        if self._dice.random() < 0.5:
            return self.make(Alarm(alarm="approach_speed", severity="alarm", is_active=True))
        return self.make(CraneCycle(plc_boot_id="p", cycle_no=self._next, locked_at_ns=1, unlocked_at_ns=2))

    def make(self, payload: Payload, raw: str | None = None) -> Observation:
        """Return an observation; each is four seconds after the one before."""
        key = self._next * 4 * 10**9
        self._next += 1
        made = observation(payload, at_ns=key)
        return (
            made if raw is None else Observation(**{n: getattr(made, n) for n in made.__struct_fields__} | {"raw": raw})
        )


class Session:
    """One opening of the outbox.

    Args:
        folder: the recorded folder.
        clock: of the device.
        mark: where promises are noted.
    """

    def __init__(self, folder: Path, clock: ManualClock, mark: Callable[[str], None] = lambda _: None) -> None:
        self._mark = mark
        self.path = folder / DATA_FOLDER / "outbox.db"
        self.outbox = Outbox(self.path, SITE, GATEWAY, settings(), clock, Counters())

    def start(self) -> None:
        """Open."""
        self.outbox.start(lambda: None)

    def set_aside(self) -> dict[tuple[str, int], set[int]]:
        """Return what lies in the quarantine: (stream, number) to keys of observations, 0 for a declaration."""
        kept: dict[tuple[str, int], set[int]] = defaultdict(set)
        for name in ("outbox.quarantine", "outbox.quarantine.1"):
            for frame in read_quarantine(self.path.with_name(name)):
                for record in decode_batch(frame.data).records:
                    key = 0 if isinstance(record.payload, Gap) else record.observed_at_ns
                    for seq in range(record.seq, record.last_seq() + 1):
                        kept[frame.stream_id, seq].add(key)
        return kept

    async def hello(self) -> dict[str, int]:
        """Ask what is stored of each run, as drivers do first."""
        stored = {run: await self.outbox.stored_no("ais", run) for run in RUNS}
        self._note("hello", stored=stored, store=self._store_id())
        return stored

    async def append(self, run: str, last_no: int, items: list[Observation]) -> None:
        """Hand over observations."""
        named = [(class_of(item.payload).value, item.observed_at_ns) for item in items]
        self._note("try", run=run, last_no=last_no, items=named)
        answer = await self.outbox.append("ais", run, last_no, items)
        assert answer.is_on_disk, self.outbox.trouble
        self._note("stored", run=run, last_no=answer.stored_no)

    async def give(
        self, limit: int, *, is_noted: bool = True, is_taken: bool = True
    ) -> list[tuple[StoredBatch, Batch]]:
        """Offer the cloud the next batches of each lane, which it takes (and commits) or not."""
        offered: list[StoredBatch] = []
        for lane in Lane:
            offered += await self.outbox.next_batches(lane, {item.batch_id for item in offered}, limit, ROOM_BYTES)
        given = []
        for stored in offered:
            batch = decode_batch(stored.data)
            records = (
                []
                if not is_taken
                else [
                    (r.seq, r.last_seq(), r.observed_at_ns, r.payload.reason if isinstance(r.payload, Gap) else "")
                    for r in batch.records
                ]
            )
            if is_noted:
                self._note("given", stream=batch.stream_id, first=batch.first_seq, last=batch.last_seq, records=records)
            given.append((stored, batch))
        return given

    async def answer(self, batches: list[StoredBatch], outcome: Outcome) -> None:
        """Hand in receipts."""
        for batch in batches:
            self._note(
                "receipt", stream=batch.stream_id, first=batch.first_seq, last=batch.last_seq, outcome=outcome.value
            )
        receipts = [
            Receipt(outcome=outcome, stream_id=b.stream_id, first_seq=b.first_seq, last_seq=b.last_seq, digest=b.digest)
            for b in batches
        ]
        await self.outbox.settle([(receipt, None) for receipt in receipts])

    def _store_id(self) -> str:
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return str(db.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()[0])
        finally:
            db.close()

    def _note(self, do: str, **said: Any) -> None:
        self._mark(json.dumps({"do": do, **said}))
