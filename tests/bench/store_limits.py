"""Bare limits of the stores: the rows that the product makes, written straight to the same server by a short loop.

What makes the rows (decoding, checks, encoding, the ledger's arithmetic) is done before and not measured; groups are as
large as the store role's. What is durable is the same: an fsync of SQLite a group, an answered request of the history
server and a committed transaction of PostgreSQL a group.
"""

import asyncio
import http.client
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from cloud_api.history.influx.line_protocol import LineEncoder
from cloud_api.history.influx.schema import point_time_ns
from cloud_api.history.models import StoredRecord
from cloud_api.ingest.service import MAX_GROUP_RECORDS
from contracts.batch import Batch
from contracts.ids import split_stream_id
from tests.bench.store_feed import BATCH_RECORDS, Feed
from tests.support.postgres_server import PostgresServer

GROUP_BATCHES = MAX_GROUP_RECORDS // BATCH_RECORDS


def of_sqlite(history: Path, records: int) -> float:
    """Return records a second of plain inserts of what a history holds, into a table of the same shape.

    Args:
        history: a file that the product wrote.
        records: how many of its newest rows.
    """
    source = sqlite3.connect(history)
    rows = source.execute("SELECT * FROM points ORDER BY point_ref DESC LIMIT ?", (records,)).fetchall()[::-1]
    shape = [sql for (sql,) in source.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = 'points' AND sql <> ''")]
    source.close()
    path = history.with_name(f"bare-{time.monotonic_ns()}.sqlite")
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    for sql in shape:
        bare.execute(sql)
    insert = f"INSERT INTO points VALUES ({', '.join('?' * len(rows[0]))})"  # noqa: S608 - marks, no values
    started_s = time.perf_counter()
    for first in range(0, len(rows), MAX_GROUP_RECORDS):
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany(insert, rows[first : first + MAX_GROUP_RECORDS])
        bare.execute("COMMIT")
    took_s = time.perf_counter() - started_s
    bare.close()
    return len(rows) / took_s


def lines_of(records: int, *, is_numbers_only: bool) -> list[bytes]:
    """Return the lines of so many records, one body a group, as the product encodes them."""
    encoder, feed = LineEncoder(is_numbers_only=is_numbers_only), Feed(worker=9)
    batches = [batch for _, batch in feed.take(records)]
    groups = [batches[first : first + GROUP_BATCHES] for first in range(0, len(batches), GROUP_BATCHES)]
    return [b"\n".join(line for batch in group for line in _lines(encoder, batch)) for group in groups]


def _lines(encoder: LineEncoder, batch: Batch) -> list[bytes]:
    site, gateway, _, _ = split_stream_id(batch.stream_id)
    return [
        encoder.encode(
            StoredRecord(batch.stream_id, site, gateway, record), point_time_ns(record.observed_at_ns, record.seq)
        )
        for record in batch.records
    ]


def of_history_server(port: int, path: str, bodies: Sequence[bytes], records: int) -> float:
    """Return records a second of requests with the lines alone, one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    started_s = time.perf_counter()
    for body in bodies:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        assert answer.status == 204, answer.read()
        answer.read()
    took_s = time.perf_counter() - started_s
    connection.close()
    return records / took_s


async def _write_ranges(server: PostgresServer, database: str, groups: int) -> float:
    password = server.password_file.read_text().strip()
    connection = await asyncpg.connect(
        host="127.0.0.1", port=server.port, user="porttrack", password=password, database=database, ssl="require"
    )
    await connection.execute("CREATE TABLE IF NOT EXISTS bare (stream_ref bigint, first_seq bigint, last_seq bigint)")
    started_s = time.perf_counter()
    for group in range(groups):
        rows = [(number, group * BATCH_RECORDS, group * BATCH_RECORDS + 199) for number in range(GROUP_BATCHES)]
        async with connection.transaction():
            await connection.executemany("INSERT INTO bare VALUES ($1, $2, $3)", rows)
    took_s = time.perf_counter() - started_s
    await connection.close()
    return took_s


def with_ledger(points_rate: float, server: PostgresServer, database: str, records: int) -> float:
    """Return the rate of both stores one after the other, as a receipt needs them: points, then a row a batch."""
    took_s = asyncio.run(_write_ranges(server, database, records // MAX_GROUP_RECORDS))
    return records / (records / points_rate + took_s)
