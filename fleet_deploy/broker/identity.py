"""The broker's own certificates: issued once into their folders, checked at every start."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from contracts.errors import ConfigError
from fleet_deploy.broker.cluster import Member
from fleet_deploy.ca.certificates import INTERNAL_DOMAIN
from fleet_deploy.ca.requests import LeafPlan, plan_node, plan_server
from fleet_deploy.ca.service import CERTIFICATE, PRIVATE_KEY, TRUST, issue, trust_file

LAST_DAYS = timedelta(days=7)
"""A broker does not start with less life than this: an expired one cuts every gateway off at once."""


def ensure_server_certificate(authority: Path, folder: Path, names: list[str], now: datetime) -> None:
    """Issue the broker's certificate into ``folder`` if there is none, else check the one that is there.

    Args:
        authority: the authority's folder.
        folder: certificate.pem, private_key.pem and trust.pem.
        names: DNS names for a new one.
        now: UTC.

    Raises:
        ConfigError: it is of another authority, about to expire, or a file is unreadable; the hint says what to delete.
        IntegrityError: the authority is damaged.
    """
    _ensure(authority, folder, plan_server(names), now)


def ensure_node_certificate(authority: Path, folder: Path, member: Member, now: datetime) -> None:
    """Do the same for the certificate that a node shows to the other nodes of its cluster.

    Raises:
        ConfigError: as above, or it is for another host than the cluster's list has (reason ``wrong_host``).
        IntegrityError: the authority is damaged.
    """
    certificate = _ensure(authority, folder, plan_node(member.name, member.host), now)
    if certificate is not None and member.host not in _hosts(certificate):
        cause = f"for {', '.join(_hosts(certificate))}, and the cluster's list has {member.host}"
        hint = f"correct --cluster, or delete {folder} to get a new one"
        raise ConfigError("read broker certificate", str(folder), cause, hint, "wrong_host")


def _ensure(authority: Path, folder: Path, plan: LeafPlan, now: datetime) -> x509.Certificate | None:
    """Issue, or check and return the one that is there."""
    if not (folder / CERTIFICATE).exists() and not (folder / PRIVATE_KEY).exists():
        issue(authority, plan, folder, now)
        return None
    hint = f"delete {folder} to get a new one"
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        is_ours = (folder / TRUST).read_bytes() == trust_file(authority, plan.kind).read_bytes()
        (folder / PRIVATE_KEY).read_bytes()
    except OSError as exc:
        raise ConfigError("read broker certificate", str(folder), exc.strerror or str(exc), hint, "unreadable") from exc
    except ValueError as exc:
        raise ConfigError("read broker certificate", str(folder), str(exc), hint, "not_pem") from exc
    if not is_ours:
        raise ConfigError("read broker certificate", str(folder), "of another authority", hint, "wrong_authority")
    if certificate.not_valid_after_utc - now < LAST_DAYS:
        cause = f"good only until {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        raise ConfigError("read broker certificate", str(folder), cause, hint, "expiring")
    return certificate


def _hosts(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    hosts = [name for name in names.get_values_for_type(x509.DNSName) if not name.endswith(f".{INTERNAL_DOMAIN}")]
    return [*hosts, *addresses]
