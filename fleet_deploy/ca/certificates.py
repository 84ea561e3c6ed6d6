"""Makes certificates: EC P-256, with the least that each may be used for. Sans-io; the caller gives the time.

The root signs two issuers and nothing else. The clients' issuer can sign only names below ``porttrack.internal``, the
servers' issuer can sign any name but those, and each only for its purpose: so no server certificate, however it was
asked for, can become a user of the broker, and no gateway can pose as the broker (docs/adr/0050).

The nodes of a broker cluster have a root of their own, which nothing else trusts and which trusts nothing else: a
gateway's stolen key opens no door between brokers, and a node's opens none of a gateway's (docs/adr/0146).

*Source:* RFC 5280, clauses 4.2.1.3 (key usage), 4.2.1.9 (path length), 4.2.1.10 (name constraints), 4.2.1.12 (purpose).
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

INTERNAL_DOMAIN = "porttrack.internal"
CLOCK_SKEW = timedelta(hours=1)
"""A gateway's clock may be late when it connects: without a network a Pi knows no better than its last shutdown."""
ROOT_LIFE = timedelta(days=3650)
ISSUER_LIFE = timedelta(days=1825)
LEAF_LIFE = timedelta(days=365)
ORGANISATION = "PortTrack DEVELOPMENT, not for production"

PrivateKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Pair:
    """A certificate and the key it certifies."""

    certificate: x509.Certificate
    key: PrivateKey


@dataclass(frozen=True)
class LeafRequest:
    """What a leaf certificate shall say.

    Args:
        common_name: subject CN.
        organisation: subject O.
        dns_names: DNS alternative names.
        addresses: IP alternative names.
        purpose: extended key usage.
        second_purpose: another, of a cluster's node only: between two brokers each is the server of the other.
    """

    common_name: str
    organisation: str
    dns_names: list[str]
    addresses: list[str]
    purpose: x509.ObjectIdentifier
    second_purpose: x509.ObjectIdentifier | None = None


def make_root(now: datetime) -> Pair:
    """Make a self-signed root that may sign issuers, one level deep."""
    key = new_key()
    name = _authority_name("PortTrack Development Root CA")
    builder = _builder(name, name, key, now, ROOT_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    builder = builder.add_extension(_key_usage(is_authority=True), critical=True)
    return Pair(builder.sign(key, hashes.SHA256()), key)


def make_client_issuer(root: Pair, now: datetime) -> Pair:
    """Make the issuer of gateway and cloud certificates: client purpose, names below ``porttrack.internal`` only."""
    constraints = x509.NameConstraints(
        permitted_subtrees=[x509.DNSName(INTERNAL_DOMAIN)], excluded_subtrees=_every_address()
    )
    return _make_issuer(root, "PortTrack Development Client CA", ExtendedKeyUsageOID.CLIENT_AUTH, constraints, now)


def make_server_issuer(root: Pair, now: datetime) -> Pair:
    """Make the issuer of server certificates: server purpose, any name that is not below ``porttrack.internal``."""
    constraints = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName(INTERNAL_DOMAIN)])
    return _make_issuer(root, "PortTrack Development Server CA", ExtendedKeyUsageOID.SERVER_AUTH, constraints, now)


def make_node_root(now: datetime) -> Pair:
    """Make the self-signed root of the nodes of a broker cluster: it signs nodes and no issuer."""
    key = new_key()
    name = _authority_name("PortTrack Development Cluster CA")
    builder = _builder(name, name, key, now, ROOT_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(is_authority=True), critical=True)
    return Pair(builder.sign(key, hashes.SHA256()), key)


def make_leaf(issuer: Pair, request: LeafRequest, serial: int, now: datetime, life: timedelta = LEAF_LIFE) -> Pair:
    """Make a leaf certificate with a new key.

    Args:
        issuer: which issuer signs.
        request: what it shall say.
        serial: serial number, positive, at most 159 bits.
        now: UTC; the certificate is good from ``CLOCK_SKEW`` before it.
        life: from ``now``; ends with the issuer at the latest.
    """
    key = new_key()
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, request.organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, request.common_name),
        ]
    )
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in request.dns_names]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in request.addresses]
    life = min(life, issuer.certificate.not_valid_after_utc - now)
    builder = _builder(subject, issuer.certificate.subject, key, now, life, serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(is_authority=False), critical=True)
    purposes = [request.purpose] if request.second_purpose is None else [request.purpose, request.second_purpose]
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(_authority_key(issuer), critical=False)
    return Pair(builder.sign(issuer.key, hashes.SHA256()), key)


def new_key() -> PrivateKey:
    """Make a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def new_serial() -> int:
    """Return a random serial number of 159 bits."""
    return x509.random_serial_number()


def serial_text(serial: int) -> str:
    """Return a serial number as the registry spells it: 40 hexadecimal digits, lower case."""
    return f"{serial:040x}"


def key_digest(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the public key in its DER form (SubjectPublicKeyInfo), as nats-server pins it."""
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).hexdigest()


def pem_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey) -> bytes:
    """Return a private key as unencrypted PKCS #8 PEM: a gateway starts without a person to type a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _make_issuer(
    root: Pair, name: str, purpose: x509.ObjectIdentifier, constraints: x509.NameConstraints, now: datetime
) -> Pair:
    key = new_key()
    builder = _builder(_authority_name(name), root.certificate.subject, key, now, ISSUER_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(is_authority=True), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(constraints, critical=True)
    builder = builder.add_extension(_authority_key(root), critical=False)
    return Pair(builder.sign(root.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, now: datetime, life: timedelta, serial: int | None = None
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial if serial is not None else new_serial())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _authority_key(issuer: Pair) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())


def _every_address() -> list[x509.GeneralName]:
    return [x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")), x509.IPAddress(ipaddress.ip_network("::/0"))]


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
