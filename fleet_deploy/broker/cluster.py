"""Which nodes a broker cluster has, and which of them this one is. Sans-io.

Every node is two servers (docs/adr/0145): the *front*, which gateways connect to by MQTT, and the *core*, which the
cloud connects to and which keeps routes to the other cores. A front hangs on one core at a time, its own first.
"""

import re
from dataclasses import dataclass

from contracts.errors import ConfigError
from contracts.ids import is_id
from fleet_deploy.ca.requests import plan_node

NAME = "porttrack"
"""Of the cluster: servers of another name are refused by nats-server."""
ROUTE_PORT, LEAF_PORT = 6222, 7422
"""As nats-server's documentation has them."""
MIN_NODES, MAX_NODES = 2, 9
"""No quorum is kept, so two are already a cluster; each node has a route to each other, and nine make 36."""
MAX_NAME = 30
"""Leaves room for what is hung on it within the 40 characters of a server name."""
_GRAMMAR = re.compile(r"^(?P<name>[^=:]+)(=(?P<host>[^:]+)(:(?P<route>\d{1,5}))?(:(?P<leaf>\d{1,5}))?)?$")


@dataclass(frozen=True)
class Member:
    """One node as its neighbours see it.

    Attributes:
        name: in the cluster.
        host: DNS name or IPv4 address.
        route_port: cores meet here.
        leaf_port: fronts hang on here.
    """

    name: str
    host: str
    route_port: int = ROUTE_PORT
    leaf_port: int = LEAF_PORT


@dataclass(frozen=True)
class Cluster:
    """A cluster seen from one of its nodes."""

    me: Member
    others: list[Member]

    @property
    def nodes(self) -> list[Member]:
        """All nodes, this one first."""
        return [self.me, *self.others]


def parse_cluster(text: str, node: str) -> Cluster:
    """Read a list of nodes.

    Args:
        text: ``NAME[=HOST[:ROUTE_PORT[:LEAF_PORT]]]`` comma-separated; without a host, the name is the host.
        node: which of them this one is.

    Raises:
        ConfigError: not such a list, a name or an address twice, too few or too many nodes, or ``node`` not in it.
    """
    members = [_member(part.strip()) for part in text.split(",")]
    names = {member.name for member in members}
    ends = {(member.host, port) for member in members for port in (member.route_port, member.leaf_port)}
    if not MIN_NODES <= len(members) <= MAX_NODES:
        cause = f"{len(members)} nodes; {MIN_NODES} to {MAX_NODES} are allowed"
        raise ConfigError("read cluster", text[:200], cause, "--cluster a,b,c", "bad_cluster")
    if len(names) < len(members) or len(ends) < 2 * len(members):
        raise ConfigError("read cluster", text[:200], "a name, or a host and port, stands twice", "", "bad_cluster")
    if node not in names:
        hint = f"--node {members[0].name}, or another of them"
        raise ConfigError("read cluster", repr(node[:60]), "none of the nodes of --cluster", hint, "bad_cluster")
    (me,) = [member for member in members if member.name == node]
    return Cluster(me, [member for member in members if member is not me])


def _member(part: str) -> Member:
    hint = "NAME[=HOST[:ROUTE_PORT[:LEAF_PORT]]], with commas between"
    found = _GRAMMAR.match(part)
    if found is None:
        raise ConfigError("read cluster", repr(part[:80]), "not a node", hint, "bad_cluster")
    name, host = found["name"], found["host"] or found["name"]
    if not is_id(name) or len(name) > MAX_NAME:
        cause = f"a name is 1 to {MAX_NAME} of a-z 0-9 -"
        raise ConfigError("read cluster", repr(part[:80]), cause, hint, "bad_cluster")
    plan_node(name, host)
    ports = int(found["route"] or ROUTE_PORT), int(found["leaf"] or LEAF_PORT)
    if not all(1 <= port <= 65535 for port in ports):  # noqa: PLR2004 - TCP
        raise ConfigError("read cluster", repr(part[:80]), "no such port", hint, "bad_cluster")
    return Member(name, host, *ports)
