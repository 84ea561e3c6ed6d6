"""``python -m cloud_api write-off``: declare numbers lost that nobody will ever bring, so that their alarm ends.

For a gateway whose disk is gone. It stores a gap of reason ``written_off``, which the accounting shows for ever; data
win over it like over any gap, so that what turns up after all is stored. Works beside a running cloud.
"""

import asyncio
import time
from typing import Annotated

import typer

from cloud_api.cli.options import ConfigFile
from cloud_api.composition.operations import make_database
from cloud_api.history.models import CommitOutcome, ReceivedBatch
from cloud_api.history.sql_ledger import SqlStreamLedger
from cloud_api.history.sqlite_writer import SqliteHistoryWriter
from cloud_api.settings import OperationsSettings, load_settings
from cloud_api.settings_history import SqliteHistorySettings
from contracts.batch import Batch, check_batch
from contracts.errors import ConfigError, PeerError
from contracts.ids import split_stream_id
from contracts.payloads import Gap
from contracts.records import Clock, ClockState, Record, RecordClass

REASON = "written_off"

Stream = Annotated[str, typer.Argument(help="stream id, as the accounting names it")]
First = Annotated[int, typer.Argument(help="first number", min=1)]
Last = Annotated[int, typer.Argument(help="last number, included", min=1)]


def main(stream: Stream, first: First, last: Last, config: ConfigFile) -> None:
    """Declare numbers of a stream lost; those that were received stay received."""
    settings = load_settings(config)
    item = ReceivedBatch(declaration(stream, first, last, time.time_ns()), time.time_ns())
    history = settings.history
    if isinstance(history, SqliteHistorySettings):
        if not history.path.is_file():
            raise ConfigError("write off", str(history.path), "no such file", "check history.path", "missing")
        outcome = asyncio.run(_store(SqliteHistoryWriter(history.path), item))
    else:
        outcome = asyncio.run(_note(settings.operations, item))
    if outcome is CommitOutcome.DUPLICATE:
        typer.echo(f"{stream} {first}..{last}: nothing to write off, every number is accounted for")
    else:
        typer.echo(f"{stream} {first}..{last}: what was not received is written off")


def declaration(stream_id: str, first_seq: int, last_seq: int, now_ns: int) -> Batch:
    """Return a batch that declares a range lost.

    Args:
        stream_id: of the stream.
        first_seq: first number, from 1.
        last_seq: last number, from ``first_seq`` on.
        now_ns: UTC ns.

    Raises:
        ConfigError: it is no stream id, or no range (reason ``invalid``).
    """
    payload = Gap(first_seq=first_seq, last_seq=last_seq, reason=REASON)
    record = Record(
        seq=first_seq, observed_at_ns=now_ns, clock=Clock(ClockState.NTP), mono_ns=0, boot_id="operator",
        source="operator", payload=payload,
    )  # fmt: skip
    try:
        record_class = RecordClass(split_stream_id(stream_id)[3])
        batch = Batch(
            stream_id=stream_id, record_class=record_class, first_seq=first_seq, last_seq=last_seq, records=[record]
        )
        check_batch(batch)
    except (PeerError, ValueError) as exc:
        hint = "take stream and numbers from GET /api/v1/accounting"
        raise ConfigError("write off", f"{stream_id[:160]} {first_seq}..{last_seq}", str(exc), hint, "invalid") from exc
    return batch


async def _store(writer: SqliteHistoryWriter, item: ReceivedBatch) -> CommitOutcome:
    try:
        (outcome,) = await writer.commit([item])
    finally:
        await writer.close()
    return outcome


async def _note(settings: OperationsSettings, item: ReceivedBatch) -> CommitOutcome:
    """Note a declaration in the ledger; the history server has no part in it."""
    database = make_database(settings)
    try:
        (outcome,) = await SqlStreamLedger(database).commit([item])
    finally:
        await database.close()
    return outcome
