"""Log of a device process: one JSON object a line on stderr, which the gateway or the service manager collects.

Logging never fails its caller. A collector that died leaves a broken pipe behind; a driver or the outbox's writer must
not die of it. Lines that could not be written are counted, and the count is the next line that can be.
"""

import json
import logging
import sys
from typing import Any, TextIO

import structlog

LOGGER_NAME = "porttrack"


class CountingHandler(logging.StreamHandler[TextIO]):
    """Writes lines; counts those that it could not write and says so as soon as it can."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; never raises."""
        lost, self.lost = self.lost, 0
        if lost:
            notice = json.dumps({"event": "log_lines_lost", "level": "warning", "count": lost})
            super().emit(logging.makeLogRecord({"msg": notice, "levelno": logging.WARNING}))
            if self.lost:
                self.lost += lost
                return
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the standard library's
        """Count what could not be written."""
        del record
        self.lost += 1


def configure_logs(level: str = "info") -> None:
    """Set structlog up for this process.

    Args:
        level: lowest level written: "debug", "info", "warning" or "error".
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers[:] = [CountingHandler(sys.stderr)]
    logger.setLevel(number)
    logger.propagate = False
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_logger,
        cache_logger_on_first_use=True,
    )


def _logger(*_: Any) -> logging.Logger:  # noqa: ANN401 - structlog's factory protocol
    return logging.getLogger(LOGGER_NAME)
