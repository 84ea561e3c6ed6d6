"""What may be asked of the authority: a server, a gateway, the cloud or a node, with checked names. Sans-io."""

import ipaddress
import re
from dataclasses import dataclass, field

from cryptography.x509.oid import ExtendedKeyUsageOID

from contracts.errors import ConfigError
from contracts.ids import is_id
from fleet_deploy.ca.certificates import INTERNAL_DOMAIN, LeafRequest
from fleet_deploy.ca.models import Kind

LOCAL_NAMES = ("localhost",)
LOCAL_ADDRESSES = ("127.0.0.1",)
MAX_SERVER_NAMES = 32
"""A broker cluster behind one name needs a handful; a longer list is a mistake."""
MAX_COMMON_NAME = 64
"""RFC 5280, appendix A.1 (ub-common-name); a longer server name stands in the alternative names only."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME = re.compile(rf"^{_LABEL}(\.{_LABEL})*$")


@dataclass(frozen=True)
class LeafPlan:
    """A checked request. Make it with one of the functions below."""

    kind: Kind
    site: str | None = None
    gateway: str | None = None
    server_names: list[str] = field(default_factory=list)
    node: tuple[str, str] | None = None

    def request(self, serial: str) -> LeafRequest:
        """Return what the certificate with this serial (40 hexadecimal digits) shall say."""
        organisation = "PortTrack DEVELOPMENT"
        if self.kind is Kind.SERVER:
            names = list(dict.fromkeys([*self.server_names, *LOCAL_NAMES]))
            purpose = ExtendedKeyUsageOID.SERVER_AUTH
            common_name = names[0] if len(names[0]) <= MAX_COMMON_NAME else "server"
            return LeafRequest(common_name, organisation, names, list(LOCAL_ADDRESSES), purpose)
        if self.node is not None:
            name, host = self.node
            names = [node_user(name)] if is_address(host) else [node_user(name), host]
            addresses = [host] if is_address(host) else []
            both = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
            return LeafRequest(name, organisation, names, addresses, *both)
        if self.gateway is not None and self.site is not None:
            name = f"{serial}.{self.gateway}.{self.site}.gateway.{INTERNAL_DOMAIN}"
            return LeafRequest(self.gateway, self.site, [name], [], ExtendedKeyUsageOID.CLIENT_AUTH)
        name = f"{serial}.cloud.{INTERNAL_DOMAIN}"
        return LeafRequest("cloud", organisation, [name], [], ExtendedKeyUsageOID.CLIENT_AUTH)


def plan_server(names: list[str]) -> LeafPlan:
    """Plan a server certificate; localhost and 127.0.0.1 are always added.

    Raises:
        ConfigError: no name, too many, not a DNS name, or below ``porttrack.internal``, which only clients carry.
    """
    lowered = [name.lower() for name in names]
    if not 1 <= len(lowered) <= MAX_SERVER_NAMES:
        cause = f"1 to {MAX_SERVER_NAMES} are allowed"
        raise ConfigError("issue certificate", f"{len(names)} names", cause, "--name NAME")
    for name in lowered:
        if len(name) > 253 or _DNS_NAME.match(name) is None:  # noqa: PLR2004 - RFC 1035 clause 2.3.4
            raise ConfigError("issue certificate", repr(name[:80]), "not a DNS name", "use letters, digits, - and .")
        if name == INTERNAL_DOMAIN or name.endswith(f".{INTERNAL_DOMAIN}"):
            raise ConfigError("issue certificate", name, f"{INTERNAL_DOMAIN} names clients only", "use another name")
    return LeafPlan(Kind.SERVER, server_names=lowered)


def plan_gateway(site: str, gateway: str) -> LeafPlan:
    """Plan a gateway's certificate.

    Raises:
        ConfigError: an id is not ``[a-z0-9-]{1,40}``, or begins or ends with ``-`` (no DNS label may).
    """
    for kind, text in (("site", site), ("gateway", gateway)):
        if not is_id(text) or text.startswith("-") or text.endswith("-"):
            hint = "use 1 to 40 of a-z 0-9 -, not - at either end"
            raise ConfigError(f"read {kind} id", repr(text[:60]), "no certificate can carry it", hint, "bad_id")
    return LeafPlan(Kind.GATEWAY, site=site, gateway=gateway)


def plan_cloud() -> LeafPlan:
    """Plan a certificate of the cloud."""
    return LeafPlan(Kind.CLOUD)


def plan_node(name: str, host: str) -> LeafPlan:
    """Plan the certificate of a node of a broker cluster.

    Args:
        name: its name in the cluster.
        host: DNS name or IPv4 address at which its neighbours reach it.

    Raises:
        ConfigError: the name is not ``[a-z0-9-]{1,40}``, or the host is neither, or below ``porttrack.internal``.
    """
    if not is_id(name):
        raise ConfigError("read node name", repr(name[:60]), "not a name", "use 1 to 40 of a-z 0-9 -", "bad_id")
    if not is_address(host):
        (host,) = plan_server([host]).server_names
    return LeafPlan(Kind.NODE, node=(name, host))


def node_user(name: str) -> str:
    """Return the name by which a node of this name is known to the cores that its front hangs on."""
    return f"{name}.node.{INTERNAL_DOMAIN}"


def is_address(host: str) -> bool:
    """Tell whether a host is an IPv4 address."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
