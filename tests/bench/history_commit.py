"""Records a second that the history commits, beside the bare limit: the same rows by plain inserts and the same fsyncs.

Batches arrive at the end of their stream, as they do in a healthy port; groups are those of the store role.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from cloud_api.history.models import ReceivedBatch
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from cloud_api.ingest.service import MAX_GROUP_BATCHES, MAX_GROUP_RECORDS
from contracts.batch import Batch
from tests.bench.figures import report
from tests.support.batches import START_NS, batch

RECORDS = 40_000
"""About a second's work of each side on two busy cores."""
SIZES = (19, 200, 500)
"""Records a batch: one group commit of a gateway at 75/s, the usual one, and the largest."""
ROUNDS = 3
"""Each side takes turns; the best round counts, for other work of the machine only ever slows one."""

Group = list[Batch]


def run() -> None:
    """Measure each size."""
    for size in SIZES:
        groups = _groups(size)
        ours = max(_timed(_commit, groups) for _ in range(ROUNDS))
        limit = max(_timed(_insert, groups) for _ in range(ROUNDS))
        report(f"history_commit_{size}", ours, "records/s", limit=round(limit), ratio=round(ours / limit, 3))


def _groups(size: int) -> list[Group]:
    batches = [batch(first, first + size - 1) for first in range(1, RECORDS + 1, size)]
    count = max(1, min(MAX_GROUP_BATCHES, MAX_GROUP_RECORDS // size))
    return [batches[start : start + count] for start in range(0, len(batches), count)]


def _timed(side: Callable[[Path, list[Group]], float], groups: list[Group]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        elapsed_s = side(Path(folder) / "history.sqlite", groups)
    return sum(len(item.records) for group in groups for item in group) / elapsed_s


def _commit(path: Path, groups: list[Group]) -> float:
    async def commit_all() -> float:
        writer = SqliteHistoryWriter(path)
        started = perf_counter()
        for group in groups:
            await writer.commit([ReceivedBatch(item, START_NS) for item in group])
        elapsed_s = perf_counter() - started
        await writer.close()
        return elapsed_s

    return asyncio.run(commit_all())


def _insert(path: Path, groups: list[Group]) -> float:
    """Insert what the history wrote as it stands in the file, row by row in groups, into tables of the same shape."""
    _commit(path, groups)
    source = sqlite3.connect(path)
    rows = source.execute("SELECT * FROM points ORDER BY point_ref").fetchall()
    shape = [sql for (sql,) in source.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = 'points' AND sql <> ''")]
    source.close()
    bare = sqlite3.connect(path.with_name("bare.sqlite"), isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    for sql in shape:
        bare.execute(sql)
    insert = f"INSERT INTO points VALUES ({', '.join('?' * len(rows[0]))})"  # noqa: S608 - marks, no values
    started, position = perf_counter(), 0
    for group in groups:
        count = sum(len(item.records) for item in group)
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany(insert, rows[position : position + count])
        bare.execute("COMMIT")
        position += count
    elapsed_s = perf_counter() - started
    bare.close()
    return elapsed_s


if __name__ == "__main__":
    run()
