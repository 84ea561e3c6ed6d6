"""Where the history is kept: a file of this machine, or an InfluxDB (or what speaks its line protocol).

``kind`` chooses, and for an InfluxDB ``version``, because each version has other names for the same things. A secret
that would travel in clear text over a network is refused.
"""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from cloud_api.settings_section import GoodPort, Name, Section, kind_or

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/@\s?#]+(/[^\s@?#]*)?$"), GoodPort]
KeepDays = Annotated[float, Field(gt=0, le=36_500)]


class KeptHistory(Section):
    """What every history has.

    Attributes:
        keep_days: age at which records go, days: since they were received in a file, since observed in an InfluxDB.
        rollup_keep_days: age at which minimum, mean and maximum a minute of the sensors go, days; 0 keeps none.
    """

    keep_days: KeepDays = 30.0
    rollup_keep_days: float = Field(default=730.0, ge=0, le=36_500)


class SqliteHistorySettings(KeptHistory):
    """The history in a file of this machine.

    Attributes:
        kind: the store.
        path: the file.
        max_gib: size above which the oldest go whatever their age, GiB.
    """

    kind: Literal["sqlite"] = "sqlite"
    path: Path
    max_gib: float = Field(default=20.0, ge=0.01, le=100_000)

    def subject(self) -> str:
        """Return where it is, for logs and messages."""
        return str(self.path)


class InfluxHistory(KeptHistory):
    """The history in an InfluxDB; its ledger is in the operations database.

    Attributes:
        kind: the store.
        url: ``https://host:port``; ``http://`` only without a secret, or to this machine.
        trust: authority of the server's certificate, PEM; without it the system's authorities.
        max_series_a_day: new series that one gateway may make on one day; points of more are kept apart.
    """

    kind: Literal["influxdb"]
    url: HttpUrl
    trust: Path | None = None
    max_series_a_day: int = Field(default=1_024, ge=1, le=1_000_000)

    def subject(self) -> str:
        """Return where it is, for logs and messages."""
        return self.url

    def secret_files(self) -> list[Path]:
        """Return the files whose content is sent to the server."""
        named = (getattr(self, "token_file", None), getattr(self, "password_file", None))
        return [path for path in named if path is not None]

    @model_validator(mode="after")
    def _refuse_secrets_in_clear_text(self) -> Self:
        parsed = urlsplit(self.url)
        if self.secret_files() and parsed.scheme == "http" and parsed.hostname not in LOOPBACK:
            raise ValueError("url: a secret would travel in clear text; allowed: https://, or a server of this machine")
        return self


class _WithPassword(InfluxHistory):
    """A server that may know users.

    Attributes:
        username: who writes and reads; left out where the server asks nobody.
        password_file: file with the password, one line.
    """

    username: Name | None = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def _demand_both(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file: both or none")
        return self


class Influx1HistorySettings(_WithPassword):
    """InfluxDB 1.x.

    Attributes:
        version: of the server.
        database: its name.
    """

    version: Literal["1"]
    database: Name = "porttrack"


class Influx2HistorySettings(InfluxHistory):
    """InfluxDB 2.x.

    Attributes:
        version: of the server.
        org: organisation.
        bucket: bucket.
        token_file: file with a token that may read and write the bucket, one line.
    """

    version: Literal["2"]
    org: Name
    bucket: Name = "porttrack"
    token_file: Path


class Influx3HistorySettings(InfluxHistory):
    """InfluxDB 3.x.

    Attributes:
        version: of the server.
        database: its name.
        token_file: file with a token that may read and write the database, one line; left out where none is asked.
    """

    version: Literal["3"]
    database: Name = "porttrack"
    token_file: Path | None = None


class VictoriaHistorySettings(_WithPassword):
    """VictoriaMetrics: it is written to like an InfluxDB and read with its own tools, so no ``api`` role over it.

    Attributes:
        version: of the server.
        database: value of the tag ``db`` of every point.
    """

    version: Literal["victoria-metrics"]
    database: Name = "porttrack"


InfluxHistorySettings = (
    Influx1HistorySettings | Influx2HistorySettings | Influx3HistorySettings | VictoriaHistorySettings
)
HistorySettings = Annotated[
    Annotated[SqliteHistorySettings, Tag("sqlite")]
    | Annotated[Annotated[InfluxHistorySettings, Discriminator("version")], Tag("influxdb")],
    Discriminator(kind_or("sqlite")),
]
