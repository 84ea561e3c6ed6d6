"""Logging of the operator's tools: one JSON object a line on stderr."""

import logging
import sys
from typing import Any

import structlog

LOGGER_NAME = "porttrack.fleet"


def configure_logging() -> None:
    """Set structlog up; called once, by the command that runs.

    Lines leave through the standard library's handler: it reports what it cannot write instead of raising, so that a
    log collector that died takes no broker with it.
    """
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers[:] = [logging.StreamHandler(sys.stderr)]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.raiseExceptions = False
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=_logger,
        cache_logger_on_first_use=True,
    )


def _logger(*_: Any) -> logging.Logger:  # noqa: ANN401 - structlog's factory protocol
    return logging.getLogger(LOGGER_NAME)
