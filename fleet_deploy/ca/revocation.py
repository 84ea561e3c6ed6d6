"""The list of revoked client certificates, for brokers that know users by their certificate's subject. Sans-io.

It is good for as long as its issuer: a broker refuses every client once its list has run out, and a list that nobody
renewed in time would cut a whole port off. It is made anew from the register with every rendering instead.

*Source:* RFC 5280, clause 5.
"""

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from fleet_deploy.ca.certificates import Pair
from fleet_deploy.ca.models import Entry


def revocation_list(issuer: Pair, revoked: Iterable[Entry], now: datetime) -> bytes:
    """Make the list.

    Args:
        issuer: who issued the certificates.
        revoked: those of its certificates that are revoked.
        now: UTC; a later list counts before an earlier one.

    Returns:
        PEM.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(issuer.certificate.not_valid_after_utc)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),  # clause 5.2.1
            critical=False,
        )
    )
    for entry in revoked:
        revoked_at = datetime.fromisoformat(entry.revoked_at) if entry.revoked_at is not None else now
        certificate = x509.RevokedCertificateBuilder().serial_number(int(entry.serial, 16))
        builder = builder.add_revoked_certificate(certificate.revocation_date(revoked_at).build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
