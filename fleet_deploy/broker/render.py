"""Writes nats-server's configuration (2.15). Sans-io: settings and users in, text out.

Rules: mutual TLS on both listeners, a user a certificate and none without one, every buffer and store capped. Strings
are JSON strings, which nats-server's parser reads as they are; nothing is ever pasted unquoted.
"""

import json
from pathlib import Path

from contracts.limits import MAX_BATCH_BYTES
from fleet_deploy.broker.permissions import User
from fleet_deploy.broker.settings import BrokerSettings

MAX_PAYLOAD_BYTES = 2 * MAX_BATCH_BYTES
"""Twice the largest batch: headers fit, and larger batches of a later wire version need no new broker first."""
MAX_CONTROL_LINE_BYTES = 4096
"""Longest protocol line: our longest subject is under 150 bytes."""
MAX_CONNECTIONS = 4096
"""Eight times the largest fleet planned (500 gateways), two sockets each, within the usual limit of open files."""
MAX_SUBSCRIPTIONS = 64
"""Subscriptions a connection: a gateway needs two, a cloud process five."""


def render(settings: BrokerSettings, users: list[User]) -> str:
    """Return the configuration file.

    Args:
        settings: ports, files and caps.
        users: one a client certificate that is not revoked.
    """
    blocks = [head(settings), client_listener(settings), mqtt_listener(settings), store(settings), authorization(users)]
    return "\n\n".join(blocks) + "\n"


def head(settings: BrokerSettings, max_subscriptions: int = MAX_SUBSCRIPTIONS) -> str:
    """Return name, files and caps of a server."""
    return f"""# Written by `python -m fleet_deploy broker render`; changes are lost at the next one.
server_name: {text(settings.server_name)}
http: {text(f"127.0.0.1:{settings.monitor_port}")}
pid_file: {text(settings.pid_file)}
log_file: {text(settings.log_file)}
logfile_size_limit: {settings.log_size_limit_bytes}
logfile_max_num: {settings.log_max_files}
logtime_utc: true

max_payload: {MAX_PAYLOAD_BYTES}
max_control_line: {MAX_CONTROL_LINE_BYTES}
max_connections: {MAX_CONNECTIONS}
max_subscriptions: {max_subscriptions}
max_pending: {settings.pending_cap_bytes}
write_deadline: "5s"
ping_interval: "10s"
ping_max: 2
lame_duck_duration: "30s"
lame_duck_grace_period: "2s\""""


def client_listener(settings: BrokerSettings, *, is_hidden: bool = False) -> str:
    """Return the listener for the cloud: NATS with mutual TLS.

    Args:
        settings: host, port and files.
        is_hidden: on any port of the loopback, where none is meant: nats-server always has one.
    """
    host, port = ("127.0.0.1", -1) if is_hidden else (settings.host, settings.client_port)
    return f"""host: {text(host)}
port: {port}
{_tls(settings)}"""


def mqtt_listener(settings: BrokerSettings) -> str:
    """Return the listener for gateways: MQTT with mutual TLS."""
    inner = _tls(settings).replace("\n", "\n  ")
    return f"""mqtt {{
  host: {text(settings.host)}
  port: {settings.mqtt_port}
  ack_wait: "30s"
  max_ack_pending: 128
  {inner}
}}"""


def store(settings: BrokerSettings, domain: str = "") -> str:
    """Return JetStream's store; a ``domain`` keeps its requests apart from those of other servers."""
    line = f"\n  domain: {text(domain)}" if domain else ""
    return f"""# MQTT sessions and retained messages need it; records are never kept here (docs/adr/0051)
jetstream {{{line}
  store_dir: {text(settings.data_dir)}
  max_memory_store: 1048576
  max_file_store: {settings.store_cap_bytes}
}}"""


def _tls(settings: BrokerSettings) -> str:
    return f"""tls {{
  cert_file: {text(settings.certificate)}
  key_file: {text(settings.private_key)}
  ca_file: {text(settings.trust)}
  verify_and_map: true
  min_version: "1.2"
  timeout: 5
}}"""


def authorization(users: list[User]) -> str:
    """Return who may come in, by which listener, and what each may say and hear."""
    lines = ["authorization {", "  timeout: 5", "  users: ["]
    for user in users:
        lines += [
            "    {",
            f"      user: {text(user.name)}",
            f"      allowed_connection_types: [{text(user.connection)}]",
            "      permissions: {",
            f"        publish: {{ allow: {words(user.publish)} }}",
            f"        subscribe: {{ allow: {words(user.subscribe)} }}",
            "      }",
            "    }",
        ]
    return "\n".join([*lines, "  ]", "}"])


def text(value: str | Path) -> str:
    """Return a string of the file."""
    return json.dumps(str(value))


def words(values: list[str]) -> str:
    """Return a list of strings of the file."""
    return "[" + ", ".join(text(value) for value in values) + "]"
