"""structlog for the whole process: one JSON object a line on stderr, or coloured text for a person.

Standard-library loggers (aiohttp, alembic, nats) pass through the same formatter, so that one line format leaves the
process.
"""

import logging
import sys
from typing import Any

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up_logging(level: str, form: str) -> None:
    """Configure logging; once, before anything logs.

    Args:
        level: least level written: ``debug``, ``info``, ``warning`` or ``error``.
        form: ``json`` or ``text``.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    if form == "json":
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    # one line a request belongs to the metrics, not to the log
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("asyncio").addFilter(_is_not_eof_chatter)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _is_not_eof_chatter(record: logging.LogRecord) -> bool:
    # asyncio says this of every TLS stream that the peer closes; it means nothing
    return "eof_received() has no effect when using ssl" not in record.getMessage()
