import base64
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from gateway.certificate import Validity, validity, validity_of_der
from tests.support.certs import TestAuthority


def test_the_validity_is_that_of_the_first_certificate(tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path)
    pem = authority.issue("gw-1").certificate.read_text()
    expected = x509.load_pem_x509_certificate(pem.encode())
    found = validity(f"# a comment\n{pem}\n{authority.trust.read_text()}")
    assert found is not None
    assert datetime.fromtimestamp(found.begins_at, UTC) == expected.not_valid_before_utc
    assert datetime.fromtimestamp(found.ends_at, UTC) == expected.not_valid_after_utc
    assert validity_of_der(expected.public_bytes(serialization.Encoding.DER)) == Validity(*found)


@given(text=st.text(max_size=300), body=st.binary(max_size=200))
def test_anything_else_has_no_validity(text: str, body: bytes) -> None:
    assert validity(text) is None
    assert validity_of_der(body) is None
    framed = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(body).decode()}\n-----END CERTIFICATE-----\n"
    assert validity(framed) is None
