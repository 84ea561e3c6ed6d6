"""The list of revoked certificates, read back by what a broker reads it with."""

from datetime import UTC, datetime

from cryptography import x509

from fleet_deploy.ca.certificates import make_client_issuer, make_root
from fleet_deploy.ca.models import Entry, Kind
from fleet_deploy.ca.revocation import revocation_list

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def entry(serial: int) -> Entry:
    times = dict.fromkeys(("not_before", "not_after", "issued_at", "revoked_at"), "2026-11-24T03:00:00Z")
    return Entry(serial=f"{serial:040x}", kind=Kind.GATEWAY, names=["g"], fingerprint="ab", **times)


def test_the_list_names_the_revoked_and_is_signed_by_their_issuer() -> None:
    issuer = make_client_issuer(make_root(NOW), NOW)
    found = x509.load_pem_x509_crl(revocation_list(issuer, [entry(7), entry(2**158)], NOW))
    assert found.is_signature_valid(issuer.key.public_key())
    assert {item.serial_number for item in found} == {7, 2**158}
    assert found.issuer == issuer.certificate.subject


def test_an_empty_list_is_a_list_and_runs_out_with_its_issuer_not_before() -> None:
    issuer = make_client_issuer(make_root(NOW), NOW)
    found = x509.load_pem_x509_crl(revocation_list(issuer, [], NOW))
    assert list(found) == []
    assert found.next_update_utc == issuer.certificate.not_valid_after_utc
    assert found.last_update_utc == NOW
