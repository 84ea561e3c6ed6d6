"""The history of this process, by ``history.kind``."""

import asyncio
from time import time_ns

from cloud_api.accounting.ports import BalanceReader
from cloud_api.composition.influx import check_files, demand_readable, open_influx_reader, open_influx_writer
from cloud_api.composition.parts import Parts
from cloud_api.history.ports import HistoryReader, HistoryWriter
from cloud_api.history.retention import Retention
from cloud_api.history.sql_ledger_reader import SqlLedgerReader
from cloud_api.history.sqlite_reader import SqliteHistoryReader
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from cloud_api.settings import Role
from cloud_api.settings_history import HistorySettings, SqliteHistorySettings, VictoriaHistorySettings


async def open_writer(parts: Parts) -> HistoryWriter:
    """Open the history for the store role; what it needs to run and to end is added to ``parts``.

    Raises:
        ConfigError: a file that its settings name cannot be used.
        LinkError: it cannot be opened now.
        IntegrityError: it is damaged.
    """
    history = parts.settings.history
    if not isinstance(history, SqliteHistorySettings):
        ledgered, backfill = await open_influx_writer(history, parts.database, parts.registry)
        parts.closing.push_async_callback(ledgered.close)
        if backfill is not None:
            parts.closing.push_async_callback(backfill.close)
            parts.eternal.append(("clock-backfill", backfill.run))
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
        ConfigError: a file that its settings name cannot be used, or it cannot be read (reason ``unreadable_history``).
        LinkError: it cannot be opened now.
    """
    history = parts.settings.history
    reader: HistoryReader
    if isinstance(history, SqliteHistorySettings):
        reader = await asyncio.to_thread(SqliteHistoryReader, history.path)
    else:
        reader = open_influx_reader(history, parts.database)
    parts.closing.push_async_callback(reader.close)
    return reader


def check_history(history: HistorySettings, roles: frozenset[Role]) -> None:
    """Check what can be checked without a server.

    Args:
        history: resolved settings.
        roles: that shall run on it.

    Raises:
        ConfigError: a file cannot be used, or the api role cannot run on this history (reason ``unreadable_history``).
    """
    if isinstance(history, SqliteHistorySettings):
        return
    check_files(history)
    if "api" in roles:
        demand_readable(history)


def can_be_read(history: HistorySettings) -> bool:
    """Tell whether this kind of history answers our questions."""
    return not isinstance(history, VictoriaHistorySettings)


def open_balances(parts: Parts) -> BalanceReader:
    """Return who knows the balances of a history that cannot be read: its ledger."""
    return SqlLedgerReader(parts.database)
