"""``python -m cloud_api history``: everything that is stored, in order, without holding it in memory."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from cloud_api.cli.options import AsJson, ConfigFile
from cloud_api.history.models import StoredPoint
from cloud_api.history.sqlite_database import open_for_reading, translated
from cloud_api.history.sqlite_queries import stored_points
from cloud_api.settings import demand_sqlite_history, load_settings

Kind = Annotated[str | None, typer.Option("--kind", help="only payloads of this type, for example ais")]

_RAW = msgspec.json.Encoder()


def main(config: ConfigFile, kind: Kind = None, *, json: AsJson = False) -> None:
    """Write stored records to stdout, in order of stream and sequence number.

    With --json, a line is the payload as JSON with its ``type``, and ``raw`` where the original sentence was kept.
    """
    path = demand_sqlite_history(load_settings(config), "read history").path
    connection = open_for_reading(path)
    try:
        with translated("read history", path):
            connection.execute("BEGIN")
            for point in stored_points(connection, kind):
                sys.stdout.write(as_json(point) if json else _as_text(point))
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader (head, less) has seen enough; nothing more can be said on this pipe
        sys.stdout = None  # keeps the interpreter from flushing into the closed pipe
    finally:
        connection.close()


def as_json(point: StoredPoint) -> str:
    """Return the payload as one JSON line, with the raw sentence as its last key."""
    if point.raw is None:
        return f"{point.payload}\n"
    return f'{point.payload[:-1]},"raw":{_RAW.encode(point.raw).decode()}}}\n'


def _as_text(point: StoredPoint) -> str:
    at = datetime.fromtimestamp(point.observed_at_ns / 1e9, UTC).isoformat(timespec="milliseconds")
    return f"{at} {point.stream_id}:{point.seq} {point.kind} {point.place or '-'} {point.payload}\n"
