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
    return "\n\n".join([_head(settings), _listeners(settings), _store(settings), _authorization(users)]) + "\n"


def _head(settings: BrokerSettings) -> str:
    return f"""# Written by `python -m fleet_deploy broker render`; changes are lost at the next one.
server_name: {_text(settings.server_name)}
http: {_text(f"127.0.0.1:{settings.monitor_port}")}
pid_file: {_text(settings.pid_file)}
log_file: {_text(settings.log_file)}
logfile_size_limit: {settings.log_size_limit_bytes}
logfile_max_num: {settings.log_max_files}
logtime_utc: true

max_payload: {MAX_PAYLOAD_BYTES}
max_control_line: {MAX_CONTROL_LINE_BYTES}
max_connections: {MAX_CONNECTIONS}
max_subscriptions: {MAX_SUBSCRIPTIONS}
max_pending: {settings.pending_cap_bytes}
write_deadline: "5s"
ping_interval: "10s"
ping_max: 2
lame_duck_duration: "30s"
lame_duck_grace_period: "2s\""""


def _listeners(settings: BrokerSettings) -> str:
    tls = f"""tls {{
  cert_file: {_text(settings.certificate)}
  key_file: {_text(settings.private_key)}
  ca_file: {_text(settings.trust)}
  verify_and_map: true
  min_version: "1.2"
  timeout: 5
}}"""
    inner = tls.replace("\n", "\n  ")
    return f"""host: {_text(settings.host)}
port: {settings.client_port}
{tls}

mqtt {{
  host: {_text(settings.host)}
  port: {settings.mqtt_port}
  ack_wait: "30s"
  max_ack_pending: 128
  {inner}
}}"""


def _store(settings: BrokerSettings) -> str:
    return f"""# MQTT sessions and retained messages need it; records are never kept here (docs/adr/0051)
jetstream {{
  store_dir: {_text(settings.data_dir)}
  max_memory_store: 1048576
  max_file_store: {settings.store_cap_bytes}
}}"""


def _authorization(users: list[User]) -> str:
    lines = ["authorization {", "  timeout: 5", "  users: ["]
    for user in users:
        lines += [
            "    {",
            f"      user: {_text(user.name)}",
            f"      allowed_connection_types: [{_text(user.connection)}]",
            "      permissions: {",
            f"        publish: {{ allow: {_list(user.publish)} }}",
            f"        subscribe: {{ allow: {_list(user.subscribe)} }}",
            "      }",
            "    }",
        ]
    return "\n".join([*lines, "  ]", "}"])


def _text(value: str | Path) -> str:
    return json.dumps(str(value))


def _list(values: list[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"
