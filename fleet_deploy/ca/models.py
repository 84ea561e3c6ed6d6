"""What the authority keeps on disk about the certificates it issued. A persisted format with a version of its own."""

from enum import StrEnum

import msgspec

REGISTRY_VERSION = 1


class Kind(StrEnum):
    """What a certificate may be used for: a server answers TLS, gateways and the cloud connect, a node does both."""

    SERVER = "server"
    GATEWAY = "gateway"
    CLOUD = "cloud"
    NODE = "node"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One certificate.

    Attributes:
        serial: 40 hexadecimal digits, lower case.
        kind: what it may be used for.
        names: DNS names it carries; the first of a client's is its broker user name. Of a node, its name in the cluster
            and then the host it is reached at.
        site: site id, of a gateway.
        gateway: gateway id, of a gateway.
        fingerprint: SHA-256 of the DER form, hexadecimal.
        key_digest: SHA-256 of the public key's DER form, hexadecimal, of a node: what its neighbours pin.
        not_before: RFC 3339 UTC.
        not_after: RFC 3339 UTC.
        issued_at: RFC 3339 UTC.
        revoked_at: RFC 3339 UTC, null while it is good.
    """

    serial: str
    kind: Kind
    names: list[str]
    site: str | None = None
    gateway: str | None = None
    fingerprint: str
    key_digest: str | None = None
    not_before: str
    not_after: str
    issued_at: str
    revoked_at: str | None = None


class Registry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the authority has issued, oldest first. ``is_development``: never trust it outside a test network."""

    version: int = REGISTRY_VERSION
    is_development: bool
    certificates: list[Entry] = msgspec.field(default_factory=list)

    def active(self) -> list[Entry]:
        """Return what is not revoked."""
        return [entry for entry in self.certificates if entry.revoked_at is None]
