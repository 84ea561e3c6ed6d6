"""Settings of the cloud: one frozen object, read once, from a TOML file and the environment.

Later wins: defaults, the file, environment variables ``PORTTRACK__SECTION__KEY``. Relative paths in the file are meant
from the file's folder. Secrets are paths of files, never values. An unknown key is an error.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from cloud_api.settings_bus import BusSettings
from cloud_api.settings_explanation import explain
from cloud_api.settings_history import HistorySettings, SqliteHistorySettings
from cloud_api.settings_section import Id, Section, has_port
from contracts.errors import ConfigError

SQLITE_PREFIX = "sqlite+aiosqlite:///"

Role = Literal["api", "store", "track"]
ROLES: tuple[Role, ...] = ("api", "store", "track")


class HttpSettings(Section):
    """Where the API listens.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one, which the log names.
        allowed_origins: further origins (``https://host:port``) that may open the live wire, beside the server's own.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    allowed_origins: list[Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]] = Field(
        default=[], max_length=64
    )


class ProbesSettings(Section):
    """Where a process without the api role answers /healthz, /readyz and /metrics; with it, the API does.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one, which the log names.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class OperationsSettings(Section):
    """The operations database.

    Attributes:
        url: SQLAlchemy URL of an async driver, without a password.
        password_file: file with the password of PostgreSQL's user, one line.
        trust: authority of PostgreSQL's certificate, PEM.
        pool_size: connections to PostgreSQL that this process holds at most.
        statement_timeout_s: a statement that PostgreSQL needs longer for is given up, s.
    """

    url: Annotated[str, StringConstraints(pattern=r"^(sqlite\+aiosqlite:///.+|postgresql\+asyncpg://.+)$")]
    password_file: Path | None = None
    trust: Path | None = None
    pool_size: int = Field(default=5, ge=1, le=100)
    statement_timeout_s: float = Field(default=10.0, ge=0.1, le=600)

    @property
    def sqlite_path(self) -> Path | None:
        """File of an SQLite database; None where it is PostgreSQL."""
        if not self.url.startswith(SQLITE_PREFIX):
            return None
        return Path(self.url.removeprefix(SQLITE_PREFIX).partition("?")[0])

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        if self.sqlite_path is None and urlsplit(self.url).password is not None:
            raise ValueError("url: holds a password, which belongs in the file that password_file names")
        if self.sqlite_path is None and not all(map(has_port, _servers(self.url))):
            raise ValueError("url: names a port that is none; allowed: 1 to 65535")
        if self.sqlite_path is not None and (self.password_file or self.trust):
            raise ValueError("password_file and trust: only for postgresql+asyncpg://…")
        return self

    def resolved(self, base: Path) -> Self:
        """Return this section with every relative path made absolute from ``base``."""
        resolved = super().resolved(base)
        if self.sqlite_path is None:
            return resolved
        _, mark, query = self.url.partition("?")
        return resolved.model_copy(update={"url": f"{SQLITE_PREFIX}{base / self.sqlite_path}{mark}{query}"})


class SiteSettings(Section):
    """The site.

    Attributes:
        chart: its chart (docs/chart.md).
    """

    chart: Path


class ControlRoomSettings(Section):
    """The pages for operators.

    Attributes:
        dir: folder of the built control room; without it the API serves no pages.
    """

    dir: Path | None = None


class TrackSettings(Section):
    """The live picture, and who judges a site.

    Attributes:
        warm_start_s: how far back the picture is filled from the history at a start, s.
        sites: sites whose lease a process with the track role tries to hold; none named: every site that it hears.
        lease_s: how long a lease lasts that nobody renews, s; renewed three times as often.
    """

    warm_start_s: float = Field(default=3600.0, ge=0, le=86_400)
    sites: list[Id] = Field(default=[], max_length=256)
    lease_s: float = Field(default=3.0, ge=1.0, le=30.0)


class LogSettings(Section):
    """The log, on standard output.

    Attributes:
        level: the least level that is written.
        format: ``json``, or ``text`` for a person.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"


class Settings(BaseSettings):
    """All settings of one cloud process."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="PORTTRACK__",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    http: HttpSettings = HttpSettings()
    probes: ProbesSettings = ProbesSettings()
    bus: BusSettings
    history: HistorySettings
    operations: OperationsSettings
    site: SiteSettings
    control_room: ControlRoomSettings = ControlRoomSettings()
    track: TrackSettings = TrackSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment above the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return (env_settings, init_settings)


def load_settings(path: Path) -> Settings:
    """Read the settings.

    Args:
        path: the TOML file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or a key or value is not allowed; the text lists file, key
            and what would be allowed.
    """
    values = _read_toml(path)
    try:
        settings = Settings(**values)
    except ValidationError as exc:
        cause = explain(exc, Settings)
        raise ConfigError("read settings", str(path), cause, "correct the file or PORTTRACK__…", "invalid") from exc
    return _resolve(settings, path.resolve().parent)


def _servers(url: str) -> list[str]:
    """Return an address a server that the URL of a PostgreSQL names, before its path or in its options."""
    options = parse_qsl(urlsplit(url).query)
    named = [f"//{value}" for name, value in options if name == "host" and not value.startswith("/")]
    return [url, *named, *(f"//:{port}" for name, value in options if name == "port" for port in value.split(","))]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise ConfigError("read settings", str(path), "no such file", "check --config", "missing")
        return dict(TomlConfigSettingsSource(Settings, toml_file=path).toml_data)
    except OSError as exc:
        raise ConfigError("read settings", str(path), exc.strerror or str(exc), "check --config", "unreadable") from exc
    except ValueError as exc:
        raise ConfigError("read settings", str(path), f"not TOML: {exc}", "", "not_toml") from exc


def _resolve(settings: Settings, base: Path) -> Settings:
    """Return the settings with every relative path made absolute from ``base``."""
    sections = {name: getattr(settings, name) for name in Settings.model_fields}
    return settings.model_copy(update={name: section.resolved(base) for name, section in sections.items()})


def demand_sqlite_history(settings: Settings, operation: str) -> SqliteHistorySettings:
    """Return the settings of a history that is a file.

    Args:
        settings: of the cloud.
        operation: what needs the file, for the error.

    Raises:
        ConfigError: the history is elsewhere (reason ``history_elsewhere``).
    """
    history = settings.history
    if not isinstance(history, SqliteHistorySettings):
        cause = f"history.kind: is {history.kind!r}; allowed: 'sqlite'"
        raise ConfigError(operation, "history", cause, "ask the server with its own tools", "history_elsewhere")
    return history
