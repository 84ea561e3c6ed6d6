"""Where the demonstration keeps its files, and where it finds those of the product."""

from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ConfigError

SOURCE = Path(__file__).resolve().parent.parent.parent
"""Folder that holds the packages: the checkout, or site-packages."""
SITE = "puerto-demo"
GATEWAYS = ("gw-approach-1", "gw-crane-1", "gw-crane-2", "gw-berth-1")
MAX_SOCKET_PATH = 100
"""A gateway's own limit for the socket of its drivers; Linux allows 107 bytes (unix(7))."""


@dataclass(frozen=True)
class Layout:
    """Paths below one demonstration folder, all absolute."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Held while a demonstration runs here."""
        return self.folder / "demo.lock"

    @property
    def authority(self) -> Path:
        """The development authority, kept between runs."""
        return self.folder / "ca"

    @property
    def broker(self) -> Path:
        """Folder of ``broker serve``."""
        return self.folder / "broker"

    @property
    def endpoints(self) -> Path:
        """Written by the simulated hardware when it is ready."""
        return self.folder / "endpoints.json"

    @property
    def cloud(self) -> Path:
        """The cloud's settings and databases."""
        return self.folder / "cloud"

    @property
    def cloud_config(self) -> Path:
        """The cloud's settings."""
        return self.cloud / "cloud.toml"

    @property
    def history(self) -> Path:
        """The cloud's history."""
        return self.cloud / "history.sqlite"

    @property
    def control_room(self) -> Path:
        """The built control room."""
        return SOURCE / "dashboards" / "control_room" / "dist"

    @property
    def chart(self) -> Path:
        """The site's chart."""
        return SOURCE / "firmware_configs" / "sites" / SITE / "chart.geojson"

    def identity(self, name: str) -> Path:
        """Certificate, key and trust of a gateway, or of ``cloud``."""
        return self.folder / "identities" / name

    def template(self, gateway: str) -> Path:
        """The gateway's profile as a port would have it, before it is put on this machine."""
        return SOURCE / "firmware_configs" / "devices" / f"{gateway}.yaml"

    def hardware(self, profile: str) -> Path:
        """A hardware profile."""
        return SOURCE / "firmware_configs" / "hardware" / f"{profile}.yaml"

    def device(self, gateway: str) -> Path:
        """The gateway's profile of this demonstration."""
        return self.folder / "devices" / f"{gateway}.yaml"

    def data(self, gateway: str) -> Path:
        """The gateway's outbox and sockets; directly below the folder, since paths of sockets may not be long."""
        return self.folder / gateway

    @property
    def logs(self) -> Path:
        """Output of all parts."""
        return self.folder / "logs"

    def log(self, part: str) -> Path:
        """Output of one part."""
        return self.logs / f"{part}.log"

    def make_folders(self) -> None:
        """Make what is missing.

        Raises:
            ConfigError: a folder cannot be made, or its path is too long for the Unix sockets in it.
        """
        longest = max(len(str(self.data(gateway) / "run" / "handover.sock").encode()) for gateway in GATEWAYS)
        if longest > MAX_SOCKET_PATH:
            cause = f"its Unix sockets would have paths of {longest} bytes, a gateway allows {MAX_SOCKET_PATH}"
            raise ConfigError(
                "make demonstration",
                str(self.folder),
                cause,
                "give a shorter --dir, or: make run RUN_DIR=/tmp/port",
                "path_too_long",
            )
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in (self.cloud, self.folder / "devices", self.logs):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ConfigError("make demonstration", str(self.folder), exc.strerror or str(exc), "check --dir") from exc
