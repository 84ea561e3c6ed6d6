"""What a server's answer to a write means, and how long to wait before the next attempt. Sans-io.

*Source:* InfluxDB 1.x and 2.x, write API: 204 written; 400 and 422 some points refused, often with their neighbours;
413 too large; 429 and 503 with ``Retry-After``. RFC 9110, 10.2.3: seconds or a date.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus

MAX_RETRY_AFTER_S = 300.0
"""A server that asks for more is asked again after this: it may have been a proxy's guess."""
MAX_CAUSE = 300
"""Letters of a server's words that are kept."""

_REASONS = (
    ("field type", "type_conflict"),
    ("column type", "type_conflict"),
    ("beyond retention", "beyond_retention"),
    ("outside retention", "beyond_retention"),
    ("unable to parse", "unparsable"),
    ("invalid", "unparsable"),
)
"""How servers word what is wrong with a point; all else is ``refused``."""
_WRITTEN = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_LATER: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "unauthorised",
    HTTPStatus.FORBIDDEN: "unauthorised",
    HTTPStatus.NOT_FOUND: "no_database",
    HTTPStatus.TOO_MANY_REQUESTS: "busy",
    HTTPStatus.SERVICE_UNAVAILABLE: "busy",
}
_FULL = ("max-series-per-database", "max-values-per-tag", "max series per database", "max-select")


class Meaning(Enum):
    """What became of a request."""

    WRITTEN = auto()
    REFUSED = auto()
    """A point of it is refused for its content; others may be written or not."""
    LATER = auto()
    """Nothing is wrong with the points."""


@dataclass(frozen=True)
class Answer:
    """What an answer means.

    Attributes:
        meaning: what became of the request.
        reason: short word for counters and errors.
        cause: the server's words.
        wait_s: how long the server asks to wait, s; None where it does not say.
    """

    meaning: Meaning
    reason: str = ""
    cause: str = ""
    wait_s: float | None = None


def judge(status: int, body: str, retry_after: str | None, now: datetime) -> Answer:
    """Return what an answer means.

    Args:
        status: of HTTP.
        body: its text.
        retry_after: header of that name.
        now: UTC.
    """
    if status in _WRITTEN:
        return Answer(Meaning.WRITTEN)
    cause = f"{status}: {body.strip()[:MAX_CAUSE] or 'no words'}"
    words = body.lower()
    if status in _REFUSALS and any(word in words for word in _FULL):
        return Answer(Meaning.LATER, "series_limit", cause)
    if status in _REFUSALS:
        return Answer(Meaning.REFUSED, next((reason for word, reason in _REASONS if word in words), "refused"), cause)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Answer(Meaning.REFUSED, "too_large", cause)
    return Answer(Meaning.LATER, _LATER.get(status, "server_error"), cause, _wait_s(retry_after, now))


def _wait_s(retry_after: str | None, now: datetime) -> float | None:
    if retry_after is None:
        return None
    text = retry_after.strip()
    try:
        wait_s = float(text) if text.isascii() and text.isdigit() else _until_s(text, now)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def _until_s(text: str, now: datetime) -> float:
    moment = parsedate_to_datetime(text)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
