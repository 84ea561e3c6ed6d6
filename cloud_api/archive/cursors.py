"""Cursors: where a page ended, of which question, in letters that nobody needs to read. Sans-io.

A cursor holds the whole position, so that the server keeps nothing for it, and the span of the first page, so that a
page that began with "until now" ends there. It is no secret and not signed: another position is another page.
"""

import base64
import hashlib
from typing import TypeVar

import msgspec

from cloud_api.history.reading import Position, SeriesId, Span
from cloud_api.web.parameters import MAX_TIME_NS, parameter_problem

ALLOWED = "next of an answer to the same question"


class PageCursor(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Where a page of a track or a series ended.

    Attributes:
        question: what was asked, as ``question_mark``.
        from_ns: begin of the span, UTC ns.
        to_ns: its end.
        at_ns: time of the page's last point.
        tie: its tie.
    """

    question: str
    from_ns: int
    to_ns: int
    at_ns: int
    tie: int

    @property
    def span(self) -> Span:
        """The span of the first page."""
        return Span(self.from_ns, self.to_ns)

    @property
    def position(self) -> Position:
        """The last point that was shown."""
        return Position(self.at_ns, self.tie)

    def is_possible(self) -> bool:
        """Tell whether a server could have made it."""
        return 0 <= self.from_ns <= self.at_ns <= self.to_ns <= MAX_TIME_NS and 0 <= self.tie <= MAX_TIME_NS


class ListCursor(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The last series of a page."""

    site: str
    observer: str
    sensor: str

    def series(self) -> SeriesId:
        """Return it as an id."""
        return SeriesId(self.site, self.observer, self.sensor)


AnyCursor = TypeVar("AnyCursor", PageCursor, ListCursor)


def question_mark(subject: str) -> str:
    """Return what tells the cursors of one question from those of another."""
    return hashlib.blake2b(subject.encode(), digest_size=6).hexdigest()


def write_cursor(cursor: PageCursor | ListCursor) -> str:
    """Return a cursor's letters."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode().rstrip("=")


def read_list_cursor(text: str) -> ListCursor:
    """Return the series to go on after.

    Raises:
        ProblemError: 400, it is none.
    """
    return _read(text, ListCursor)


def read_page_cursor(text: str, subject: str) -> PageCursor:
    """Return the place to go on at.

    Args:
        text: the letters.
        subject: what is asked now.

    Raises:
        ProblemError: 400, it is none, or one of another question.
    """
    cursor = _read(text, PageCursor)
    if not cursor.is_possible() or cursor.question != question_mark(subject):
        raise parameter_problem("cursor", "belongs to another question", ALLOWED)
    return cursor


def _read(text: str, kind: type[AnyCursor]) -> AnyCursor:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(data, type=kind)
    except (ValueError, msgspec.MsgspecError) as exc:
        raise parameter_problem("cursor", "is none that this server has given", ALLOWED) from exc
