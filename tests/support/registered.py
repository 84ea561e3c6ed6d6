"""Entries of a CA's registry, for tests of what brokers are told of them."""

from fleet_deploy.ca.models import Entry, Kind


def entry(kind: Kind, name: str, **settings: str) -> Entry:
    """Return an entry of a certificate that is in force."""
    times = dict.fromkeys(("not_before", "not_after", "issued_at"), "2026-11-24T03:00:00Z")
    return Entry(serial="0" * 40, kind=kind, names=[name], fingerprint="ab", **times, **settings)


GATEWAY = entry(Kind.GATEWAY, "g.gateway.porttrack.internal", site="puerto", gateway="gw-1")
CLOUD = entry(Kind.CLOUD, "c.cloud.porttrack.internal")
