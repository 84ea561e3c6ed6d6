"""Log of a driver process: one JSON object a line on stderr, which the gateway collects."""

import logging
import sys

import structlog


def configure_logs(level: str = "info") -> None:
    """Set structlog up for this process.

    Args:
        level: lowest level written: "debug", "info", "warning" or "error".
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
