"""The history of this process, by ``history.kind``."""

import asyncio
from time import time_ns

from cloud_api.composition.influx import open_influx_writer
from cloud_api.composition.parts import Parts
from cloud_api.history.ports import HistoryReader, HistoryWriter
from cloud_api.history.retention import Retention
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from cloud_api.settings import demand_sqlite_history
from cloud_api.settings_history import SqliteHistorySettings


async def open_writer(parts: Parts) -> HistoryWriter:
    """Open the history for the store role; what it needs to run and to end is added to ``parts``.

    Raises:
        ConfigError: a file that its settings name cannot be used.
        LinkError: it cannot be opened now.
        IntegrityError: it is damaged.
    """
    history = parts.settings.history
    if not isinstance(history, SqliteHistorySettings):
        ledgered = await open_influx_writer(history, parts.database, parts.registry)
        parts.closing.push_async_callback(ledgered.close)
        return ledgered
    writer = await asyncio.to_thread(SqliteHistoryWriter, history.path)
    parts.closing.push_async_callback(writer.close)
    max_bytes = int(history.max_gib * 2**30)
    retention = Retention(writer, history.keep_days, max_bytes, parts.registry, time_ns, history.rollup_keep_days)
    parts.eternal.append(("retention", retention.run))
    return writer


async def open_reader(parts: Parts) -> HistoryReader:
    """Open the history for reading.

    Raises:
        LinkError: it cannot be opened now.
    """
    history = demand_sqlite_history(parts.settings, "open history")
    reader = await asyncio.to_thread(SqliteHistoryReader, history.path)
    parts.closing.push_async_callback(reader.close)
    return reader
