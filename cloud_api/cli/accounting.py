"""``python -m cloud_api accounting``: the ledger check of every stream."""

import asyncio
import dataclasses
from pathlib import Path

import msgspec
import typer

from cloud_api.cli.options import AsJson, ConfigFile
from cloud_api.composition.operations import make_database
from cloud_api.history.accounting_policy import account
from cloud_api.history.models import SeqRange, StreamAccount
from cloud_api.history.sql_ledger_reader import SqlLedgerReader
from cloud_api.history.sqlite_database import open_for_reading, translated
from cloud_api.history.sqlite_queries import evidence
from cloud_api.settings import OperationsSettings, load_settings
from cloud_api.settings_history import SqliteHistorySettings

MAX_SHOWN = 5
"""Ranges shown a line of the table; --json has them all."""


def main(config: ConfigFile, *, json: AsJson = False) -> None:
    """Check received + declared gaps = 1..max seq for each stream; exit code 1 if one does not balance."""
    settings = load_settings(config)
    history = settings.history
    if isinstance(history, SqliteHistorySettings):
        accounts = _of_file(history.path)
    else:
        accounts = asyncio.run(_of_ledger(settings.operations))
    for item in accounts:
        typer.echo(_as_json(item) if json else _as_text(item))
    if not all(item.is_whole() for item in accounts):
        raise typer.Exit(1)


def _of_file(path: Path) -> list[StreamAccount]:
    connection = open_for_reading(path)
    try:
        with translated("check ledger", path):
            connection.execute("BEGIN")
            return [account(item) for item in evidence(connection)]
    finally:
        connection.close()


async def _of_ledger(settings: OperationsSettings) -> list[StreamAccount]:
    """Check the tables of a ledger whose records lie in a history server."""
    database = make_database(settings)
    try:
        return await SqlLedgerReader(database).accounting()
    finally:
        await database.close()


def _as_json(item: StreamAccount) -> str:
    return msgspec.json.encode(dataclasses.asdict(item) | {"is_whole": item.is_whole()}).decode()


def _as_text(item: StreamAccount) -> str:
    verdict = "whole" if item.is_whole() else "NOT WHOLE"
    parts = [f"{item.stream_id}: {verdict}: received {item.received} + gaps {item.declared_gap} of 1..{item.max_seq}"]
    if item.expired:
        parts.append(f"expired {item.expired}")
    for name, ranges in (("missing", item.holes), ("twice", item.doubles), ("acknowledged, absent", item.unbacked)):
        if ranges:
            parts.append(f"{name} {_shown(ranges)}")
    parts += item.drift
    return "; ".join(parts)


def _shown(ranges: list[SeqRange]) -> str:
    text = ", ".join(f"{item.first_seq}..{item.last_seq}" for item in ranges[:MAX_SHOWN])
    return f"{text} and {len(ranges) - MAX_SHOWN} more" if len(ranges) > MAX_SHOWN else text
