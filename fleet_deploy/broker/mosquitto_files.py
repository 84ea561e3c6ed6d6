"""Writes what a Mosquitto that something else runs needs: its configuration, who is let in, and who no longer is."""

from datetime import UTC, datetime
from pathlib import Path

from contracts.errors import ConfigError
from fleet_deploy.broker.identity import ensure_server_certificate
from fleet_deploy.broker.mosquitto import MosquittoSettings, render_mosquitto
from fleet_deploy.broker.mosquitto_access import access
from fleet_deploy.ca.models import Kind
from fleet_deploy.ca.registry import read_registry
from fleet_deploy.ca.revocation import revocation_list
from fleet_deploy.ca.service import CERTIFICATE, CLIENT_ISSUER, PRIVATE_KEY, TRUST, read_pair
from fleet_deploy.durable_files import SECRET_MODE, replace_file

PLUGIN = "mosquitto_dynamic_security.so"
PLUGIN_FOLDERS = ("/usr/lib", "/usr/local/lib", "/opt")
"""Where distributions put it, a folder or two below."""
ACCESS, REVOKED = "access.json", "revoked.pem"


def find_plugin() -> Path:
    """Return Mosquitto's dynamic security plugin.

    Raises:
        ConfigError: it is in none of the usual folders.
    """
    for folder in PLUGIN_FOLDERS:
        for pattern in (PLUGIN, f"*/{PLUGIN}", f"*/*/{PLUGIN}"):
            found = sorted(Path(folder).glob(pattern))
            if found:
                return found[0]
    hint = "install mosquitto (Debian's package brings it), or name it by --plugin"
    raise ConfigError("render broker", PLUGIN, "not installed", hint, "missing")


def write_mosquitto(
    authority: Path, out: Path, data: Path, names: list[str], host: str, port: int, plugin: Path, run_as: str
) -> int:
    """Write the configuration and its files.

    Args:
        authority: folder of the authority whose clients may come in.
        out: the configuration file.
        data: folder of the broker's certificate, of the access file and of the revocation list.
        names: DNS names of the certificate, if one is made.
        host: address of the listener.
        port: of the listener.
        plugin: the dynamic security plugin.
        run_as: user that Mosquitto becomes when it is started by root.

    Returns:
        How many users it knows.

    Raises:
        ConfigError: no authority, a file that cannot be written, or a certificate that is about to expire.
        IntegrityError: the authority is damaged.
    """
    now = datetime.now(UTC)
    data = data.resolve()
    server = data / "server"
    settings = MosquittoSettings(
        host=host, port=port, plugin=plugin.resolve(), run_as=run_as,
        certificate=server / CERTIFICATE, private_key=server / PRIVATE_KEY, trust=server / TRUST,
        revoked=data / REVOKED, access=data / ACCESS,
    )  # fmt: skip
    registry = read_registry(authority)
    text, users = access(registry)
    revoked = [
        entry
        for entry in registry.certificates
        if entry.revoked_at is not None and entry.kind in (Kind.GATEWAY, Kind.CLOUD)
    ]
    configuration = render_mosquitto(settings)
    ensure_server_certificate(authority, server, names, now)
    try:
        # the list first: a Mosquitto that is started between two writes must not let in who was cut off
        replace_file(settings.revoked, revocation_list(read_pair(authority, CLIENT_ISSUER), revoked, now))
        replace_file(settings.access, text.encode(), SECRET_MODE)
        replace_file(out, configuration.encode(), SECRET_MODE)
    except OSError as exc:
        raise ConfigError("write broker configuration", str(out), exc.strerror or str(exc), "check the folder") from exc
    return users
