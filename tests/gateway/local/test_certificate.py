import base64
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.certificate import ends_at
from tests.support.certs import TestAuthority


def test_the_end_is_that_of_the_first_certificate(tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path)
    pem = authority.issue("gw-1").certificate.read_text()
    expected = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    found = ends_at(f"# a comment\n{pem}\n{authority.trust.read_text()}")
    assert found is not None
    assert datetime.fromtimestamp(found, UTC) == expected


@given(text=st.text(max_size=300), body=st.binary(max_size=200))
def test_anything_else_has_no_end(text: str, body: bytes) -> None:
    assert ends_at(text) is None
    framed = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(body).decode()}\n-----END CERTIFICATE-----\n"
    assert ends_at(framed) is None
