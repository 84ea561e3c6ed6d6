"""Issues and revokes: the order of writes that keeps register, keys and certificates in step through a crash.

An authority is built in a folder beside its place and renamed into it, so it exists whole or not at all. A certificate
is registered before its files are written: a crash may leave a registered certificate that nobody has, never one that
nobody knows of. Writers exclude each other by a lock file.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from contracts.errors import ConfigError, IntegrityError
from fleet_deploy.ca.certificates import (
    Pair,
    PrivateKey,
    key_digest,
    key_pem,
    make_client_issuer,
    make_leaf,
    make_node_root,
    make_root,
    make_server_issuer,
    new_serial,
    pem_of,
    serial_text,
)
from fleet_deploy.ca.models import Entry, Kind, Registry
from fleet_deploy.ca.registry import FILE_NAME, read_registry, write_registry
from fleet_deploy.ca.requests import LeafPlan
from fleet_deploy.durable_files import SECRET_MODE, replace_file, sync_folder

ROOT, CLIENT_ISSUER, SERVER_ISSUER = "root", "client_issuer", "server_issuer"
NODE_ROOT = "node_root"
"""Made with the first node: a port with one broker has none."""
_ISSUERS = {Kind.SERVER: SERVER_ISSUER, Kind.GATEWAY: CLIENT_ISSUER, Kind.CLOUD: CLIENT_ISSUER, Kind.NODE: NODE_ROOT}
CERTIFICATE, PRIVATE_KEY, TRUST = "certificate.pem", "private_key.pem", "trust.pem"


@dataclass(frozen=True)
class IssuedFiles:
    """Where a leaf certificate was written, and what the register says of it."""

    entry: Entry
    certificate: Path
    private_key: Path
    trust: Path


def init_authority(folder: Path, now: datetime) -> None:
    """Make a development authority in ``folder``.

    Args:
        folder: must not exist yet, or be empty.
        now: UTC.

    Raises:
        ConfigError: the folder holds something already (reason ``exists``), or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = "use it as it is, or give another --out; an authority is never overwritten"
        raise ConfigError("make authority", str(folder), "it exists already", hint, "exists")
    root = make_root(now)
    pairs = {ROOT: root, CLIENT_ISSUER: make_client_issuer(root, now), SERVER_ISSUER: make_server_issuer(root, now)}
    building = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        building.mkdir(mode=0o700, parents=True)
        for name, pair in pairs.items():
            replace_file(building / f"{name}.pem", pem_of(pair.certificate))
            replace_file(building / f"{name}_key.pem", key_pem(pair.key), SECRET_MODE)
        replace_file(building / TRUST, pem_of(root.certificate))
        write_registry(building, Registry(is_development=True))
        building.rename(folder)
        sync_folder(folder.parent)
    except OSError as exc:
        shutil.rmtree(building, ignore_errors=True)
        raise ConfigError("make authority", str(folder), exc.strerror or str(exc), "", "unwritable") from exc


def issue(authority: Path, plan: LeafPlan, out: Path, now: datetime) -> IssuedFiles:
    """Issue a certificate and write certificate.pem (with its issuer), private_key.pem (0600) and trust.pem (the root).

    A node's trust.pem is the nodes' own root.

    Args:
        authority: the authority's folder.
        plan: what to issue.
        out: folder for the three files; made if absent.
        now: UTC.

    Raises:
        ConfigError: no authority, ``out`` already has a private key (reason ``exists``), or cannot be written.
        IntegrityError: the register or the authority's key is damaged.
    """
    if (out / PRIVATE_KEY).exists() or (out / CERTIFICATE).exists():
        hint = "give another --out, or move the old files away; the old certificate stays good until it is revoked"
        raise ConfigError("issue certificate", str(out), "there is a certificate already", hint, "exists")
    if plan.kind is Kind.NODE:
        _ensure_node_root(authority, now)
    issuer = read_pair(authority, _ISSUERS[plan.kind])
    serial = new_serial()
    leaf = make_leaf(issuer, plan.request(serial_text(serial)), serial, now)
    entry = _entry(plan, leaf.certificate, now)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _changing(authority) as registry:
            write_registry(authority, _with(registry, [*registry.certificates, entry]))
        trust = trust_file(authority, plan.kind).read_bytes()
        replace_file(out / PRIVATE_KEY, key_pem(leaf.key), SECRET_MODE)
        replace_file(out / TRUST, trust)
        replace_file(out / CERTIFICATE, pem_of(leaf.certificate) + pem_of(issuer.certificate))
    except OSError as exc:
        raise ConfigError("issue certificate", str(out), exc.strerror or str(exc), "", "unwritable") from exc
    return IssuedFiles(entry, out / CERTIFICATE, out / PRIVATE_KEY, out / TRUST)


def trust_file(authority: Path, kind: Kind) -> Path:
    """Return the file with the root that certificates of this kind lead to."""
    return authority / (f"{NODE_ROOT}.pem" if kind is Kind.NODE else TRUST)


def revoke(authority: Path, serial: str, now: datetime) -> Entry:
    """Mark a certificate as revoked. Revoking it again changes nothing.

    Raises:
        ConfigError: no authority, or no such serial (reason ``missing``).
        IntegrityError: the register is damaged.
    """
    wanted = serial.lower().removeprefix("0x").zfill(40)
    with _changing(authority) as registry:
        for index, entry in enumerate(registry.certificates):
            if entry.serial != wanted:
                continue
            if entry.revoked_at is not None:
                return entry
            changed = msgspec.structs.replace(entry, revoked_at=_rfc3339(now))
            certificates = [*registry.certificates[:index], changed, *registry.certificates[index + 1 :]]
            write_registry(authority, _with(registry, certificates))
            return changed
    raise ConfigError("revoke certificate", serial[:60], "no such serial", "see: ca list", "missing")


def read_pair(authority: Path, name: str) -> Pair:
    """Read a certificate and key of the authority.

    Raises:
        ConfigError: a file is missing or unreadable.
        IntegrityError: a file is not PEM, or the key is not EC.
    """
    read_registry(authority)
    try:
        certificate = x509.load_pem_x509_certificate((authority / f"{name}.pem").read_bytes())
        key = serialization.load_pem_private_key((authority / f"{name}_key.pem").read_bytes(), password=None)
    except OSError as exc:
        raise ConfigError("read authority", str(authority), f"{name}: {exc.strerror}", "", "unreadable") from exc
    except (ValueError, TypeError) as exc:
        raise IntegrityError("read authority", str(authority), f"{name}: {exc}", "restore a backup", "not_pem") from exc
    if not isinstance(key, PrivateKey) or key.public_key() != certificate.public_key():
        raise IntegrityError("read authority", str(authority), f"{name}: key and certificate differ", "", "wrong_key")
    return Pair(certificate, key)


def _ensure_node_root(authority: Path, now: datetime) -> None:
    """Make the nodes' root if there is none; its key is written first, so that a certificate is never without it."""
    try:
        with _changing(authority):
            if trust_file(authority, Kind.NODE).exists():
                return
            root = make_node_root(now)
            replace_file(authority / f"{NODE_ROOT}_key.pem", key_pem(root.key), SECRET_MODE)
            replace_file(authority / f"{NODE_ROOT}.pem", pem_of(root.certificate))
    except OSError as exc:
        raise ConfigError("make cluster root", str(authority), exc.strerror or str(exc), "", "unwritable") from exc


@contextmanager
def _changing(authority: Path) -> Iterator[Registry]:
    """Hold the writers' lock and give the register as it is now."""
    read_registry(authority)
    with (authority / f".{FILE_NAME}.lock").open("ab") as lock:
        os.fchmod(lock.fileno(), SECRET_MODE)
        fcntl.flock(lock, fcntl.LOCK_EX)  # held for one small write; the kernel releases it with the process
        yield read_registry(authority)


def _with(registry: Registry, certificates: list[Entry]) -> Registry:
    return msgspec.structs.replace(registry, certificates=certificates)


def _entry(plan: LeafPlan, certificate: x509.Certificate, now: datetime) -> Entry:
    serial = serial_text(certificate.serial_number)
    return Entry(
        serial=serial,
        kind=plan.kind,
        names=list(plan.node) if plan.node is not None else plan.request(serial).dns_names,
        site=plan.site,
        gateway=plan.gateway,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        key_digest=key_digest(certificate) if plan.node is not None else None,
        not_before=_rfc3339(certificate.not_valid_before_utc),
        not_after=_rfc3339(certificate.not_valid_after_utc),
        issued_at=_rfc3339(now),
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
