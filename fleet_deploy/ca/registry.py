"""The register's file: ``registry.json`` in the authority's folder. Replaced as a whole, never edited in place."""

from pathlib import Path

import msgspec

from contracts.errors import ConfigError, IntegrityError
from fleet_deploy.ca.models import REGISTRY_VERSION, Registry
from fleet_deploy.durable_files import replace_file

FILE_NAME = "registry.json"
MAX_REGISTRY_BYTES = 64 * 1024 * 1024
"""A hundred thousand certificates of 600 bytes; anything larger is not ours."""


def read_registry(folder: Path) -> Registry:
    """Read the register of the authority in ``folder``.

    Raises:
        ConfigError: there is no authority in that folder, or the file cannot be read.
        IntegrityError: the file is not what this program wrote.
    """
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            data = file.read(MAX_REGISTRY_BYTES + 1)
    except FileNotFoundError as exc:
        hint = f"python -m fleet_deploy ca init --dev --out {folder}"
        raise ConfigError("read certificate register", str(path), "no authority here", hint, "missing") from exc
    except OSError as exc:
        raise ConfigError("read certificate register", str(path), exc.strerror or str(exc), "", "unreadable") from exc
    if len(data) > MAX_REGISTRY_BYTES:
        raise IntegrityError("read certificate register", str(path), "over the cap", "", "too_large")
    return decode_registry(data, str(path))


def decode_registry(data: bytes, subject: str) -> Registry:
    """Decode a register.

    Raises:
        IntegrityError: not JSON, not a register, or of a version that this program does not know.
    """
    hint = "restore registry.json from a backup; the certificates themselves are not affected"
    try:
        registry = msgspec.json.decode(data, type=Registry)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise IntegrityError("read certificate register", subject, str(exc), hint, "not_a_register") from exc
    if registry.version != REGISTRY_VERSION:
        cause = f"version {registry.version}, this program reads {REGISTRY_VERSION}"
        raise IntegrityError("read certificate register", subject, cause, "use a newer PortTrack", "unknown_version")
    return registry


def write_registry(folder: Path, registry: Registry) -> None:
    """Replace the register, durably.

    Raises:
        OSError: it cannot be written; the old one is then untouched.
    """
    replace_file(folder / FILE_NAME, msgspec.json.format(msgspec.json.encode(registry), indent=1) + b"\n")
