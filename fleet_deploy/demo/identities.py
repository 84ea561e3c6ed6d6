"""The demonstration's authority and certificates: made once, kept between runs, replaced before they expire."""

import shutil
from datetime import datetime, timedelta

from cryptography import x509

from fleet_deploy.ca.registry import FILE_NAME, read_registry
from fleet_deploy.ca.requests import LeafPlan, plan_cloud, plan_gateway
from fleet_deploy.ca.service import CERTIFICATE, PRIVATE_KEY, TRUST, init_authority, issue
from fleet_deploy.demo.layout import GATEWAYS, SITE, Layout

LAST_DAYS = timedelta(days=7)
CLOUD = "cloud"


def ensure_identities(layout: Layout, now: datetime) -> None:
    """Make the authority and whatever certificates are missing, expiring, revoked or of another authority.

    Raises:
        ConfigError: a folder cannot be written.
        IntegrityError: the authority is damaged.
    """
    if not (layout.authority / FILE_NAME).exists():
        init_authority(layout.authority, now)
    plans = {gateway: plan_gateway(SITE, gateway) for gateway in GATEWAYS} | {CLOUD: plan_cloud()}
    for name, plan in plans.items():
        _ensure(layout, name, plan, now)


def _ensure(layout: Layout, name: str, plan: LeafPlan, now: datetime) -> None:
    folder = layout.identity(name)
    if _is_good(layout, name, now):
        return
    shutil.rmtree(folder, ignore_errors=True)
    issue(layout.authority, plan, folder, now)


def _is_good(layout: Layout, name: str, now: datetime) -> bool:
    folder = layout.identity(name)
    active = {entry.serial for entry in read_registry(layout.authority).active()}
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        is_ours = (folder / TRUST).read_bytes() == (layout.authority / TRUST).read_bytes()
        has_key = (folder / PRIVATE_KEY).is_file()
    except (OSError, ValueError):
        return False
    is_active = f"{certificate.serial_number:040x}" in active
    return is_ours and has_key and is_active and certificate.not_valid_after_utc - now > LAST_DAYS
