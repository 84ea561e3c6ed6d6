"""Writes the configuration of a cluster's node: its core and its front (nats-server 2.15). Sans-io.

Rules beside those of ``render``: between brokers only keys that are pinned, of certificates that lead to the nodes' own
root, so that no gateway's key opens a route. JetStream is on no core: what MQTT sessions need lies on each front and is
its own business, so there is nothing to elect when a node dies, and one node of three is enough (docs/adr/0145).
"""

from dataclasses import dataclass
from pathlib import Path

from contracts.topics import ROOT, TOPIC_VERSION
from fleet_deploy.broker.cluster import NAME, Cluster
from fleet_deploy.broker.permissions import User
from fleet_deploy.broker.render import (
    MAX_CONNECTIONS,
    authorization,
    client_listener,
    head,
    mqtt_listener,
    store,
    text,
    words,
)
from fleet_deploy.broker.settings import BrokerSettings
from fleet_deploy.ca.requests import node_user

MAX_SUBSCRIPTIONS = 4 * MAX_CONNECTIONS
"""Of one connection: that between front and core carries two subscriptions of every gateway of the cluster, and the
largest fleet planned is an eighth of MAX_CONNECTIONS. A gateway may subscribe to two subjects only, whatever stands
here."""
NO_KEY = "0" * 64
"""Pinned where no node is left: an empty list would let every key of the right root in."""
STAYS_ON_THE_FRONT = ["$MQTT.>", "$JS.>"]
"""Sessions of a front are nobody else's: heard by another, they would answer in its stead."""
DOWN = f"{ROOT}.{TOPIC_VERSION}.*.*.down.>"
"""No front has anything to say to gateways: so it need not know who listens at the other fronts."""


@dataclass(frozen=True)
class NodeLinks:
    """How a node meets the others.

    Attributes:
        cluster: all nodes.
        certificate: PEM of this node.
        private_key: PEM, 0600.
        trust: PEM of the nodes' root.
    """

    cluster: Cluster
    certificate: Path
    private_key: Path
    trust: Path


def render_core(settings: BrokerSettings, links: NodeLinks, users: list[User], pins: list[str]) -> str:
    """Return the configuration of a core.

    Args:
        settings: its ports, files and caps.
        links: its neighbours.
        users: one a client certificate that is not revoked.
        pins: digests of the keys of all nodes that are not revoked.
    """
    blocks = [head(settings, MAX_SUBSCRIPTIONS), client_listener(settings), _routes(settings, links, pins)]
    blocks += [_hang_on(settings, links, pins), authorization(users)]
    return "\n\n".join(blocks) + "\n"


def render_front(settings: BrokerSettings, links: NodeLinks, users: list[User]) -> str:
    """Return the configuration of a front; arguments as of ``render_core``."""
    blocks = [head(settings, MAX_SUBSCRIPTIONS), client_listener(settings, is_hidden=True), mqtt_listener(settings)]
    blocks += [store(settings, settings.server_name), _hanging(links), authorization(users)]
    return "\n\n".join(blocks) + "\n"


def _routes(settings: BrokerSettings, links: NodeLinks, pins: list[str]) -> str:
    others = [f"nats://{other.host}:{other.route_port}" for other in links.cluster.others]
    return f"""cluster {{
  name: {text(NAME)}
  host: {text(settings.host)}
  port: {links.cluster.me.route_port}
  routes: {words(others)}
  no_advertise: true
  {_tls(links, pins)}
}}"""


def _hang_on(settings: BrokerSettings, links: NodeLinks, pins: list[str]) -> str:
    # without users of its own nats-server asks those of the clients, which no front is
    users = [f"{{ user: {text(node_user(node.name))} }}" for node in links.cluster.nodes]
    return f"""leafnodes {{
  host: {text(settings.host)}
  port: {links.cluster.me.leaf_port}
  no_advertise: true
  authorization {{
    timeout: 5
    users: [{", ".join(users)}]
  }}
  {_tls(links, pins).replace("verify: true", "verify_and_map: true")}
}}"""


def _hanging(links: NodeLinks) -> str:
    urls = [f"tls://{node.host}:{node.leaf_port}" for node in links.cluster.nodes]
    return f"""leafnodes {{
  reconnect: 1
  remotes: [
    {{
      urls: {words(urls)}
      no_randomize: true
      deny_exports: {words([*STAYS_ON_THE_FRONT, DOWN])}
      deny_imports: {words(STAYS_ON_THE_FRONT)}
      {_tls(links, None).replace(chr(10), chr(10) + "    ")}
    }}
  ]
}}"""


def _tls(links: NodeLinks, pins: list[str] | None) -> str:
    """Return mutual TLS between brokers; ``pins`` of None for the side that connects."""
    lines = [
        "tls {",
        f"  cert_file: {text(links.certificate)}",
        f"  key_file: {text(links.private_key)}",
        f"  ca_file: {text(links.trust)}",
        *([] if pins is None else ["  verify: true", f"  pinned_certs: {words(pins or [NO_KEY])}"]),
        '  min_version: "1.2"',
        "  timeout: 5",
        "}",
    ]
    return "\n  ".join(lines)
