"""Settings of the cloud: one frozen object, read once, from a TOML file and the environment.

Later wins: defaults, the file, environment variables ``PORTTRACK__SECTION__KEY``. Relative paths in the file are meant
from the file's folder. Secrets are paths of files, never values. An unknown key is an error.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from cloud_api.settings_explanation import explain
from contracts.errors import ConfigError
from contracts.ids import ID_PATTERN

SQLITE_PREFIX = "sqlite+aiosqlite:///"

ServerUrl = Annotated[str, StringConstraints(pattern=r"^tls://[^/@\s]+:\d{1,5}$")]
Role = Literal["api", "store", "track"]
ROLES: tuple[Role, ...] = ("api", "store", "track")


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class BusSettings(Section):
    """The broker.

    Attributes:
        servers: ``tls://host:port`` of one cluster.
        certificate: our certificate, PEM.
        private_key: its key, PEM.
        trust: authority of the broker's certificate, PEM.
        name: how the broker's monitoring shows this process.
    """

    servers: list[ServerUrl] = Field(min_length=1, max_length=16)
    certificate: Path
    private_key: Path
    trust: Path
    name: Annotated[str, StringConstraints(pattern=ID_PATTERN)] = "cloud"


class HistorySettings(Section):
    """The history file and how much of it is kept.

    Attributes:
        path: the file.
        keep_days: age at which records go, days since they were received.
        max_gib: size above which the oldest go whatever their age, GiB.
    """

    path: Path
    keep_days: float = Field(default=30.0, gt=0, le=36_500)
    max_gib: float = Field(default=20.0, ge=0.01, le=100_000)


class OperationsSettings(Section):
    """The operations database: an SQLAlchemy URL of an async driver."""

    url: Annotated[str, StringConstraints(pattern=r"^(sqlite\+aiosqlite:///.+|postgresql\+asyncpg://.+)$")]


class SiteSettings(Section):
    """The site: path of its chart (docs/chart.md)."""

    chart: Path


class ControlRoomSettings(Section):
    """Folder of the built control room; without it the API serves no pages."""

    dir: Path | None = None


class TrackSettings(Section):
    """The live picture: how far back it is filled from the history at a start, s."""

    warm_start_s: float = Field(default=3600.0, ge=0, le=86_400)


class LogSettings(Section):
    """Logging: the least level written, and how."""

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
    bus = settings.bus
    control_room_dir = settings.control_room.dir
    changes = {
        "bus": bus.model_copy(
            update={name: base / getattr(bus, name) for name in ("certificate", "private_key", "trust")}
        ),
        "history": settings.history.model_copy(update={"path": base / settings.history.path}),
        "operations": OperationsSettings(url=_resolve_url(settings.operations.url, base)),
        "site": SiteSettings(chart=base / settings.site.chart),
        "control_room": ControlRoomSettings(dir=base / control_room_dir if control_room_dir else None),
    }
    return settings.model_copy(update=changes)


def _resolve_url(url: str, base: Path) -> str:
    if not url.startswith(SQLITE_PREFIX):
        return url
    name, mark, query = url.removeprefix(SQLITE_PREFIX).partition("?")
    return f"{SQLITE_PREFIX}{base / name}{mark}{query}"
