"""Reads the chunked answers of ``/query``. Sans-io: lines in, rows out.

*Source:* InfluxDB 1.x, API reference, ``/query`` with ``chunked=true``: one JSON document a line; its ``statement_id``
tells which statement it answers, ``partial`` that more of the same follows.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from contracts.errors import LinkError


class _Series(msgspec.Struct):
    columns: list[str]
    values: list[list[Any]] = []
    name: str = ""
    tags: dict[str, str] = {}


class _Result(msgspec.Struct):
    statement_id: int = 0
    series: list[_Series] = []
    error: str | None = None
    messages: list[dict[str, str]] = []


class _Document(msgspec.Struct):
    results: list[_Result] = []
    error: str | None = None


_DECODER = msgspec.json.Decoder(_Document)


@dataclass(frozen=True)
class Row:
    """One row of an answer.

    Attributes:
        measurement: its measurement.
        tags: values of the tags that were grouped by; '' for none.
        values: by column; ``time`` in ns.
    """

    measurement: str
    tags: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def rows_of(line: bytes) -> list[tuple[int, Row]]:
    """Return (number of the statement, row) of one line of an answer.

    Raises:
        LinkError: the server says that it failed (``query_failed``), or the line is no answer (``not_an_answer``).
    """
    try:
        document = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise LinkError("read history server", repr(line[:60]), str(exc), "", "not_an_answer") from exc
    found = []
    failed = document.error or next((result.error for result in document.results if result.error), None)
    if failed:
        raise LinkError("read history server", "InfluxQL", failed[:300], "", "query_failed")
    for result in document.results:
        for series in result.series:
            found += [
                (result.statement_id, Row(series.name, series.tags, dict(zip(series.columns, values, strict=True))))
                for values in series.values
            ]
    return found
