"""Which content type an answer has: what ``?format=`` names, else what ``Accept`` likes best (RFC 9110, 12.5.1)."""

import re
from collections.abc import Mapping

from aiohttp import web

from cloud_api.web.problems import ProblemError

MAX_RANGES = 50
"""Media ranges of an Accept header that are looked at; a browser sends eight."""
_QUALITY = re.compile(r"q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)")


def choose_format(request: web.Request, offered: Mapping[str, str], asked: str | None) -> str:
    """Return the name of the format to answer in.

    Args:
        request: whose Accept counts where no format is asked for by name.
        offered: content type of each format, the preferred first.
        asked: one of the names, already checked; None leaves it to Accept.

    Raises:
        ProblemError: 406, nothing that is offered is accepted.
    """
    if asked is not None:
        return asked
    accepted = request.headers.get("Accept", "").strip()
    if not accepted:
        return next(iter(offered))
    qualities = _qualities(accepted)
    best, best_quality = "", 0.0
    for name, content_type in offered.items():
        major = content_type.partition("/")[0]
        ranges = (content_type, f"{major}/*", "*/*")
        quality = next((qualities[one] for one in ranges if one in qualities), 0.0)
        if quality > best_quality:
            best, best_quality = name, quality
    if not best:
        hint = f"accept one of {', '.join(offered.values())}, or name it: format={'|'.join(offered)}"
        raise ProblemError(406, "not-acceptable", "none of the accepted content types is offered here", hint=hint)
    return best


def _qualities(accepted: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in accepted.split(",")[:MAX_RANGES]:
        media_range, *parameters = (part.strip().lower() for part in text.split(";"))
        matches = [match for match in map(_QUALITY.fullmatch, parameters) if match]
        found[media_range] = float(matches[0].group(1)) if matches else 1.0
    return found
