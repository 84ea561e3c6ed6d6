"""Logging of the operator's tools: one JSON object a line on stderr."""

import sys

import structlog


def configure_logging() -> None:
    """Set structlog up; called once, by the command that runs."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
