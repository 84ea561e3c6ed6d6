"""Points of some series over a span of time, as SQL: in order, from a position on, and never more than an answer bears.

Every series is in order of time in its index, so that several are merged as far as an answer needs and no further.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import itemgetter
from typing import TypeVar

from cloud_api.history.reading import Page, Position, Span, TooMuchError

MAX_INTEGER = 2**63 - 1
"""Largest integer of SQLite; later times are clamped to it."""
MAX_ROWS = 1_000_000
"""Rows read for one answer, some seconds: eleven days of a sensor each second, four months of a ship under way."""
MAX_SERIES = 256
"""Series merged for one answer, each an open cursor: a vessel heard by 128 receivers."""

_POINTS = """
    SELECT observed_at_ns, point_ref, payload FROM points
    WHERE series_ref = ? AND observed_at_ns BETWEEN ? AND ? AND (observed_at_ns > ? OR point_ref > ?)
    ORDER BY observed_at_ns, point_ref
"""
_NEWEST = """
    SELECT observed_at_ns, point_ref, payload FROM points
    WHERE series_ref = ? AND observed_at_ns BETWEEN ? AND ?
    ORDER BY observed_at_ns DESC, point_ref DESC LIMIT ?
"""

RawRow = tuple[int, int, str]
"""Time, tie and payload of a stored point."""
Item = TypeVar("Item")


def points(connection: sqlite3.Connection, series: list[int], span: Span, after: Position | None) -> Iterator[RawRow]:
    """Yield the points of series in order of (time, tie), after a position.

    Args:
        connection: open, in a transaction.
        series: their numbers.
        span: UTC ns.
        after: the point before the first.

    Raises:
        TooMuchError: there are more than ``MAX_SERIES`` series.
    """
    _check_series(series)
    first_ns, tie = span.from_ns, -1
    if after is not None and after.at_ns >= first_ns:
        first_ns, tie = after
    bounds = (first_ns, min(span.to_ns, MAX_INTEGER), first_ns, tie)
    cursors: list[Iterator[RawRow]] = [connection.execute(_POINTS, (ref, *bounds)) for ref in series]
    return cursors[0] if len(cursors) == 1 else heapq.merge(*cursors, key=itemgetter(0, 1))


def newest(connection: sqlite3.Connection, series: list[int], span: Span, limit: int) -> list[RawRow]:
    """Return the newest ``limit`` points of series in order of (time, tie); see ``points``."""
    _check_series(series)
    bounds = (span.from_ns, min(span.to_ns, MAX_INTEGER), limit)
    cursors = [connection.execute(_NEWEST, (ref, *bounds)) for ref in series]
    found = list(islice(heapq.merge(*cursors, key=itemgetter(0, 1), reverse=True), limit))
    return found[::-1]


def bounded(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    """Yield the rows of one answer.

    Raises:
        TooMuchError: there are more than ``MAX_ROWS``.
    """
    for number, row in enumerate(rows):
        if number == MAX_ROWS:
            cause = f"it holds more than {MAX_ROWS} records"
            raise TooMuchError("read history", "span", cause, "ask for a shorter span", "too_many_rows")
        yield row


def page_of(rows: Iterator[RawRow], limit: int, read: Callable[[int, str], Item]) -> Page[Item]:
    """Return the first ``limit`` rows as a page.

    Args:
        rows: in order.
        limit: at least 1.
        read: makes an item of time and payload.
    """
    # one more than is shown tells whether there is more
    found = list(islice(rows, limit + 1))
    last = Position(*found[limit - 1][:2]) if len(found) > limit else None
    return Page([read(at_ns, payload) for at_ns, _, payload in found[:limit]], last)


def _check_series(series: list[int]) -> None:
    if len(series) > MAX_SERIES:
        cause = f"more than {MAX_SERIES} series of one name"
        raise TooMuchError("read history", "span", cause, "", "too_many_series")
