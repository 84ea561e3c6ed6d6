"""Stores as gateways leave them, with what lies in them and where: to damage them and know what may be lost."""

import random
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from contracts.codec import decode_batch
from contracts.payloads import Ais, Alarm, Gap, Log, Wind
from contracts.receipt import Outcome, Receipt
from contracts.records import Observation
from firmware_configs.device import Outbox as OutboxSettings
from gateway.counters import Counters
from gateway.outbox.models import Lane, StoredBatch
from gateway.outbox.outbox import Outbox
from gateway.outbox.quarantine import Quarantine, SetAside
from gateway.outbox.salvage import layout
from gateway.outbox.salvage.images import IN_FILE, Images
from gateway.outbox.salvage.sources import Source
from gateway.outbox.salvage.wal import read_log
from tests.support.gateway_records import GATEWAY, SITE, ManualClock, observation

FILES = ("outbox.db", "outbox.db-wal", "outbox.mark", "outbox.quarantine")
ROOM_BYTES = 10**7
Extent = tuple[str, int, int]
"""(file, first byte, byte behind the last)."""


@dataclass(slots=True)
class Row:
    """A batch in the store, and the bytes that it is made of: cell and overflow pages, as SQLite would read them."""

    stream_id: str
    first_seq: int
    last_seq: int
    extents: list[Extent] = field(default_factory=list)


@dataclass(slots=True)
class Template:
    """A store that can be copied and damaged.

    Attributes:
        folder: its files.
        is_large: it is to be opened as one that is too large for a whole check at the start.
        rows: what lies in it.
        keys: which observation has which (stream, number).
        next_seq: of each stream.
        last_no: of the one run.
        set_aside: batches in the quarantine.
    """

    folder: Path
    is_large: bool
    rows: list[Row] = field(default_factory=list)
    keys: dict[tuple[str, int], int] = field(default_factory=dict)
    next_seq: dict[str, int] = field(default_factory=dict)
    last_no: int = 0
    set_aside: int = 0


def settings() -> OutboxSettings:
    """Return settings that make many small batches."""
    return OutboxSettings().model_copy(update={"group_commit_ms": 1, "seal_records": 12, "seal_after_ms": 60_000})


class Filler:
    """Fills one store through the real outbox.

    Args:
        folder: where.
        seed: of what is put in.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._dice = random.Random(seed)
        self._folder = folder
        self._key = 0
        self.last_no = 0
        self.box = Outbox(folder / "outbox.db", SITE, GATEWAY, settings(), ManualClock(), Counters())
        self.box.start(lambda: None)

    async def commits(self, number: int, *, is_up: bool, acked: float) -> None:
        """Store and send.

        Args:
            number: group commits.
            is_up: whether the cloud answers; else what is stored lies open and is joined.
            acked: share of the batches that get a receipt, in any order.
        """
        self.box.set_hungry(is_up)
        for _ in range(number):
            items = [self._item() for _ in range(self._dice.randint(1, 6))]
            self.last_no += len(items)
            await self.box.append("ais", "run", self.last_no, items)
        offered: list[StoredBatch] = []
        for lane in Lane if acked else ():
            offered += await self.box.next_batches(lane, {item.batch_id for item in offered}, 10**6, ROOM_BYTES)
        self._dice.shuffle(offered)
        taken = offered[: round(len(offered) * acked)]
        await self.box.settle([(receipt_for(item), None) for item in taken])

    def checkpoint(self) -> None:
        """Bring the log into the file, so that the next commit begins it anew."""
        db = sqlite3.connect(self._folder / "outbox.db", isolation_level=None)
        db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        db.close()

    def _item(self) -> Observation:
        self._key += 1
        kind = self._dice.random()
        return observation(
            Wind(speed_mps=self._key / 8)
            if kind < 0.3
            else Alarm(alarm="approach_speed", severity="alarm", is_active=True)
            if kind < 0.36
            else Log(level="info", event=f"noise_{self._dice.randbytes(self._dice.choice((8, 8, 400, 1500))).hex()}")
            if kind < 0.45
            else Ais(msg_type=1, mmsi=224_000_000 + self._dice.randrange(9)),
            at_ns=self._key * 10**9,
        )


async def make(folder: Path, kind: str, seed: int = 1) -> Template:
    """Make a store of a kind: ``live``, ``first``, ``mid_wal`` or ``backlog``."""
    work = folder / f"{kind}-work"
    work.mkdir(parents=True)
    kept = folder / kind
    # the same bytes each time, so that a fault can be done again alone
    with mock.patch("gateway.outbox.database.secrets.token_hex", return_value=f"{seed:016x}"):
        filler = Filler(work, seed)
        await RECIPES[kind](filler)
    quarantine = Quarantine(work / "outbox.quarantine")
    for number in range(3):
        quarantine.put(SetAside(f"{SITE}.{GATEWAY}.00000000.track", number + 1, number + 1, "refused", 0, b"x" * 300))
    if kind == "backlog":
        await filler.box.close()
    kept.mkdir()
    for name in FILES:
        if (work / name).exists():
            shutil.copy(work / name, kept / name)
    if kind != "backlog":
        await filler.box.close()
    template = Template(kept, is_large=kind == "backlog", last_no=filler.last_no, set_aside=3)
    _read_truth(template, folder / f"{kind}-read")
    _map_bytes(template)
    return template


def receipt_for(item: StoredBatch) -> Receipt:
    """Return the cloud's answer to a batch that it has committed."""
    return Receipt(
        outcome=Outcome.COMMITTED, stream_id=item.stream_id, first_seq=item.first_seq, last_seq=item.last_seq,
        digest=item.digest,
    )  # fmt: skip


async def _live(filler: Filler) -> None:
    await filler.commits(14, is_up=True, acked=0.9)
    filler.checkpoint()
    await filler.commits(10, is_up=True, acked=0.8)
    await filler.commits(4, is_up=True, acked=0)


async def _first(filler: Filler) -> None:
    await filler.commits(16, is_up=False, acked=0.3)
    await filler.commits(6, is_up=True, acked=0)


async def _mid_wal(filler: Filler) -> None:
    await filler.commits(60, is_up=False, acked=0.4)
    filler.checkpoint()
    await filler.commits(30, is_up=False, acked=0.2)
    await filler.commits(5, is_up=False, acked=0)


async def _backlog(filler: Filler) -> None:
    await filler.commits(260, is_up=False, acked=0.35)
    await filler.commits(160, is_up=False, acked=0.05)
    await filler.commits(80, is_up=False, acked=0)


RECIPES: dict[str, Callable[[Filler], Awaitable[None]]] = {
    "live": _live,
    "first": _first,
    "mid_wal": _mid_wal,
    "backlog": _backlog,
}


def _read_truth(template: Template, scratch: Path) -> None:
    """Read what lies in a store, from a copy: opening it may change it."""
    shutil.copytree(template.folder, scratch)
    db = sqlite3.connect(scratch / "outbox.db")
    query = "SELECT stream_id, first_seq, last_seq, data FROM batches JOIN streams ON streams.id = stream"
    for stream_id, first, last, data in db.execute(query):
        template.rows.append(Row(stream_id, first, last))
        for record in decode_batch(data).records:
            assert not isinstance(record.payload, Gap)
            template.keys[stream_id, record.seq] = record.observed_at_ns
    template.next_seq = dict(db.execute("SELECT stream_id, next_seq FROM streams"))
    db.close()


def _map_bytes(template: Template) -> None:
    """Find the bytes of each row in the newest images of its pages."""
    path = template.folder / "outbox.db"
    rows = {(row.stream_id, row.first_seq): row for row in template.rows}
    with Source(path) as main, Source(path.with_name("outbox.db-wal")) as wal:
        log = read_log(wal.read, wal.size, None)
        images = Images(main.read, main.size, log, wal.read)
        offsets = {frame.page_no: ("outbox.db-wal", frame.at) for frame in log.frames if frame.is_current}
        free = images.free_pages()
        for image in images.all():
            if not image.is_newest or image.page_no in free or images.is_map(image.page_no):
                continue
            file, at = offsets.get(image.page_no, ("outbox.db", (image.page_no - 1) * images.page_size))
            assert (image.order == IN_FILE) == (file == "outbox.db")
            for cell in layout.cells(image.data, images.page_size, is_first=image.page_no == 1):
                extents = _extents(images, cell, (file, at), offsets)
                data = _data_of(images, cell)
                if data is not None and len(extents) > 0:
                    batch = decode_batch(data)
                    rows[batch.stream_id, batch.first_seq].extents = extents
    assert all(row.extents for row in template.rows)


def _data_of(images: Images, cell: layout.Cell) -> bytes | None:
    need = cell.size - len(cell.local)
    payload = cell.local + (next(images.overflow(cell.overflow, need, 10**9), b"") if need > 0 else b"")
    offsets = layout.column_offsets(payload, cell.size)
    columns = layout.values(payload, offsets) if offsets and len(offsets) == 12 else []
    return columns[-1] if len(columns) == 12 and isinstance(columns[-1], bytes) else None


def _extents(
    images: Images, cell: layout.Cell, place: tuple[str, int], offsets: dict[int, tuple[str, int]]
) -> list[Extent]:
    file, at = place
    need = cell.size - len(cell.local)
    head = 2 + 9  # lengths of the payload and of the row's number, at most
    found = [(file, at + cell.start, at + cell.start + len(cell.local) + head + (4 if need > 0 else 0))]
    page_no = cell.overflow
    while need > 0:
        page = images.newest(page_no)
        where, begins = offsets.get(page_no, ("outbox.db", (page_no - 1) * images.page_size))
        part = min(need, images.page_size - 4)
        found.append((where, begins, begins + 4 + part))
        need -= part
        page_no = int.from_bytes(page[:4], "big")
    return found
