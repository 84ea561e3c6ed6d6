"""A history on an InfluxDB, or what speaks its line protocol: points there, numbers in the operations database."""

import random
import ssl
from pathlib import Path
from time import time_ns

from prometheus_client import CollectorRegistry

from cloud_api.backoff import FullJitter
from cloud_api.history.influx.client_v2 import InfluxV2Writer, ServerV2, basic_authorization, token_authorization
from cloud_api.history.influx.clock_backfill import LOOK_S, ClockBackfill
from cloud_api.history.influx.http_v1 import InfluxQueries, InfluxV1Writer, Server
from cloud_api.history.influx.line_protocol import LineEncoder
from cloud_api.history.influx.metrics import InfluxMetrics
from cloud_api.history.influx.placing_policy import DAY_NS, Placing
from cloud_api.history.influx.ports import WriteEndpoint
from cloud_api.history.influx.provisioning import Retention, provision
from cloud_api.history.influx.reader import InfluxHistoryReader
from cloud_api.history.influx.schema import BEYOND, PLACED
from cloud_api.history.influx.series_guard_policy import SeriesGuard
from cloud_api.history.influx.sink import InfluxSink
from cloud_api.history.influx.timed_sink import TimedSink
from cloud_api.history.ledgered_metrics import LedgeredMetrics
from cloud_api.history.ledgered_writer import LedgeredWriter
from cloud_api.history.sql_clock_sets import SqlClockSets
from cloud_api.history.sql_ledger import SqlStreamLedger
from cloud_api.history.sql_ledger_reader import SqlLedgerReader
from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.point_quarantine import SqlPointQuarantine
from cloud_api.settings_history import (
    Influx1HistorySettings,
    Influx2HistorySettings,
    Influx3HistorySettings,
    InfluxHistorySettings,
    VictoriaHistorySettings,
)
from contracts.errors import ConfigError

ORGANISATION = "porttrack"
"""Sent where the server knows no organisations and the API wants one."""

ReadableSettings = Influx1HistorySettings | Influx2HistorySettings | Influx3HistorySettings
"""Servers that answer InfluxQL."""


async def open_influx_writer(
    settings: InfluxHistorySettings, database: OperationsDatabase, registry: CollectorRegistry
) -> tuple[LedgeredWriter, ClockBackfill | None]:
    """Open the history for the store role; an InfluxDB 1.x is made ready first.

    Returns:
        The writer, and who gives points their time afterwards, where the server can be asked for them.

    Args:
        settings: resolved settings.
        database: operations database, with the ledger.
        registry: where figures are registered.

    Raises:
        ConfigError: a file that the settings name cannot be read.
        LinkError: the server cannot be made ready now.
    """
    if isinstance(settings, Influx1HistorySettings):
        await _provision(settings)
    is_victoria = isinstance(settings, VictoriaHistorySettings)
    placing, metrics = Placing(int(settings.keep_days * DAY_NS)), InfluxMetrics(registry)
    sink = InfluxSink(
        _endpoint(settings),
        LineEncoder(is_numbers_only=is_victoria),
        placing,
        SeriesGuard(settings.max_series_a_day),
        metrics,
        _backoff(0.1, 5.0),
        has_beyond=not is_victoria,
    )
    clock_sets = SqlClockSets(database)
    backfill = None
    if not isinstance(settings, VictoriaHistorySettings):
        backfill = ClockBackfill(
            InfluxQueries(_server(settings)), sink, clock_sets, placing, metrics, _backoff(LOOK_S, 300.0), time_ns,
            can_delete=isinstance(settings, Influx1HistorySettings),
        )  # fmt: skip
    timed = TimedSink(sink, clock_sets, placing, metrics, time_ns)
    ledger, quarantine = SqlStreamLedger(database), SqlPointQuarantine(database)
    return LedgeredWriter(timed, ledger, quarantine, LedgeredMetrics(registry)), backfill


def _backoff(first_s: float, cap_s: float) -> FullJitter:
    return FullJitter(first_s, cap_s, random.Random())  # noqa: S311 - jitter, no secret


def check_files(settings: InfluxHistorySettings) -> None:
    """Read the files that the settings name, as both roles will.

    Raises:
        ConfigError: one cannot be used.
    """
    _authorization(settings)
    if settings.trust is not None:
        _trust(settings.trust)


def demand_readable(settings: InfluxHistorySettings) -> ReadableSettings:
    """Return the settings of a server that answers InfluxQL.

    Raises:
        ConfigError: it answers none (reason ``unreadable_history``).
    """
    if isinstance(settings, VictoriaHistorySettings):
        cause = "history.version: is 'victoria-metrics', which answers no InfluxQL; allowed with api: '1', '2', '3'"
        hint = "run the roles store and track on it, and read it with its own tools"
        raise ConfigError("open history", settings.url, cause, hint, "unreadable_history")
    return settings


def open_influx_reader(settings: InfluxHistorySettings, database: OperationsDatabase) -> InfluxHistoryReader:
    """Open the history for reading; balances come from the ledger.

    Args:
        settings: resolved settings.
        database: operations database, with the ledger.

    Raises:
        ConfigError: a file that the settings name cannot be read, or the server answers no InfluxQL (reason
            ``unreadable_history``).
    """
    queries = InfluxQueries(_server(demand_readable(settings)))
    keep_ns = int(settings.keep_days * DAY_NS)
    has_minutes = settings.rollup_keep_days > 0
    return InfluxHistoryReader(queries, SqlLedgerReader(database), keep_ns, has_minutes=has_minutes)


async def _provision(settings: Influx1HistorySettings) -> None:
    queries = InfluxQueries(_server(settings))
    try:
        retention = Retention(int(settings.keep_days * DAY_NS), int(settings.rollup_keep_days * DAY_NS))
        await provision(queries, settings.database, retention)
    finally:
        await queries.close()


def _endpoint(settings: InfluxHistorySettings) -> WriteEndpoint:
    if isinstance(settings, Influx1HistorySettings):
        return InfluxV1Writer(_server(settings))
    trust_file = str(settings.trust) if settings.trust is not None else ""
    authorization = _authorization(settings)
    if isinstance(settings, Influx2HistorySettings):
        buckets = {PLACED: settings.bucket, BEYOND: f"{settings.bucket}_{BEYOND}"}
        return InfluxV2Writer(ServerV2(settings.url, settings.org, buckets, authorization, trust_file))
    buckets = {PLACED: settings.database, BEYOND: f"{settings.database}_{BEYOND}"}
    return InfluxV2Writer(ServerV2(settings.url, ORGANISATION, buckets, authorization, trust_file))


def _server(settings: ReadableSettings) -> Server:
    """Return where InfluxQL is asked: 2.x maps bucket and policy to a bucket, 3.x has a database for each policy."""
    database = settings.bucket if isinstance(settings, Influx2HistorySettings) else settings.database
    authorization = _authorization(settings)
    headers = {"Authorization": authorization} if authorization else {}
    trust = _trust(settings.trust) if settings.trust is not None else None
    return Server(settings.url, database, headers, trust, has_policies=not isinstance(settings, Influx3HistorySettings))


def _authorization(settings: InfluxHistorySettings) -> str:
    if isinstance(settings, (Influx1HistorySettings, VictoriaHistorySettings)):
        if settings.username is None or settings.password_file is None:
            return ""
        return basic_authorization(settings.username, _line("history.password_file", settings.password_file))
    return token_authorization(
        _line("history.token_file", settings.token_file) if settings.token_file is not None else ""
    )


def _trust(path: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as exc:
        hint = "history.trust: a PEM file with the authority that signed the server's certificate"
        raise ConfigError("read certificate", str(path), str(exc), hint, "bad_certificate") from exc


def _line(key: str, path: Path) -> str:
    """Return the one line of a file with a secret."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError("read secret", str(path), str(exc), f"{key}: a file with one line", "unreadable") from exc
