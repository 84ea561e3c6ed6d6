"""Writes Mosquitto's configuration (2.0 and later). Sans-io: files and ports in, text out.

The same rules as for nats-server (``render``): mutual TLS on every listener, nobody without a registered certificate,
every buffer capped, nothing of ours kept in the broker. Its log goes to stderr, so that whoever runs it (systemd's
journal, a container) keeps and caps it.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from contracts.errors import ConfigError
from fleet_deploy.broker.render import MAX_CONNECTIONS, MAX_PAYLOAD_BYTES

MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 1024
"""The largest payload, its topic and its header."""
MAX_INFLIGHT = 128
"""Messages of QoS 1 that a client may have on the way, either direction; told to gateways as the receive maximum."""
MAX_QUEUED = 256
"""Messages that wait for a slow reader: a minute of a busy port. More would only be older: gateways send again what is
not receipted, and what is dropped here is on their disks."""
MEMORY_LIMIT_BYTES = 512 * 1024**2
"""All of the broker's own memory (TLS not counted): 16 readers at their caps, and every gateway's session."""
MAX_KEEPALIVE_S = 600
"""A client that is gone holds its place at most one and a half times as long."""


class MosquittoSettings(BaseModel):
    """One Mosquitto.

    Attributes:
        host: address of the listener.
        port: MQTT 3.1.1 and 5 with mutual TLS, for gateways and the cloud.
        certificate: PEM of the server, with its issuer.
        private_key: PEM, 0600.
        trust: PEM of the root that client certificates must lead to.
        revoked: PEM, list of revoked client certificates.
        access: JSON of the dynamic security plugin.
        plugin: the plugin's library.
        run_as: user that it becomes when it is started by root; "" for its own default (``mosquitto``).
        queue_cap_bytes: bytes waiting for one slow reader before messages for it are dropped.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    certificate: Path
    private_key: Path
    trust: Path
    revoked: Path
    access: Path
    plugin: Path
    run_as: str = Field(default="", pattern=r"^([a-z_][a-z0-9_-]{0,31})?$")
    queue_cap_bytes: int = Field(default=16 * 1024**2, ge=1024**2)


def render_mosquitto(settings: MosquittoSettings) -> str:
    """Return the configuration file.

    Raises:
        ConfigError: a value cannot stand in the file (reason ``bad_value``).
    """
    lines = [
        "# Written by `python -m fleet_deploy broker render --kind mosquitto`; changes are lost at the next one.",
        *([f"user {settings.run_as}"] if settings.run_as else []),
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        "# nothing is kept: records are on the gateways until their receipt (docs/adr/0051)",
        "persistence false",
        "retain_available false",
        f"max_packet_size {MAX_PACKET_BYTES}",
        f"max_inflight_messages {MAX_INFLIGHT}",
        f"max_queued_messages {MAX_QUEUED}",
        f"max_queued_bytes {settings.queue_cap_bytes}",
        f"memory_limit {MEMORY_LIMIT_BYTES}",
        f"max_keepalive {MAX_KEEPALIVE_S}",
        "set_tcp_nodelay true",
        "per_listener_settings false",
        "allow_anonymous false",
        f"plugin {_value(settings.plugin)}",
        f"plugin_opt_config_file {_value(settings.access)}",
        f"listener {settings.port} {_value(settings.host)}",
        f"max_connections {MAX_CONNECTIONS}",
        "tls_version tlsv1.2",
        f"certfile {_value(settings.certificate)}",
        f"keyfile {_value(settings.private_key)}",
        f"cafile {_value(settings.trust)}",
        f"crlfile {_value(settings.revoked)}",
        "require_certificate true",
        "use_subject_as_username true",
    ]
    return "\n".join(lines) + "\n"


def _value(value: str | Path) -> str:
    """Return a value as it may stand at the end of a line: Mosquitto knows no quotes and takes the line's rest."""
    text = str(value)
    if not text or text != text.strip() or not text.isprintable():
        raise ConfigError(
            "write broker configuration", repr(text[:120]), "no such name can stand in it", "", "bad_value"
        )
    return text
