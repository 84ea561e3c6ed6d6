"""The broker's own certificate: issued once into its folder, checked at every start."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from contracts.errors import ConfigError
from fleet_deploy.ca.requests import plan_server
from fleet_deploy.ca.service import CERTIFICATE, PRIVATE_KEY, TRUST, issue

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
    if not (folder / CERTIFICATE).exists() and not (folder / PRIVATE_KEY).exists():
        issue(authority, plan_server(names), folder, now)
        return
    hint = f"delete {folder} to get a new one"
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        is_ours = (folder / TRUST).read_bytes() == (authority / TRUST).read_bytes()
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
