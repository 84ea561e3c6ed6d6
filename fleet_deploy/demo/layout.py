"""Where the demonstration keeps its files, and where it finds those of the product."""

from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ConfigError

SOURCE = Path(__file__).resolve().parent.parent.parent
"""Folder that holds the packages: the checkout, or site-packages."""
SITE = "puerto-demo"
GATEWAYS = ("gw-approach-1", "gw-crane-1", "gw-crane-2", "gw-berth-1")


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
        """The gateway's outbox and sockets."""
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
            ConfigError: a folder cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in (self.cloud, self.folder / "devices", self.logs):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ConfigError("make demonstration", str(self.folder), exc.strerror or str(exc), "check --dir") from exc
