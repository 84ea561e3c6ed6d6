"""Reads the validity off a certificate, and nothing else. Sans-io.

Fifty lines instead of the cryptography package, which costs the gateway 12 MB of memory for these two dates.

*Source:* RFC 5280 clause 4.1 (TBSCertificate: version, serial number, signature, issuer, validity, …), clause 4.1.2.5
(UTCTime and GeneralizedTime); X.690 clause 8.1 (definite lengths).
"""

import ssl
from datetime import UTC, datetime
from typing import NamedTuple

_SEQUENCE = 0x30
_VERSION = 0xA0
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18


class Validity(NamedTuple):
    """Begin and end of a certificate, UTC s since 1970, both inclusive."""

    begins_at: float
    ends_at: float


def validity(pem: str) -> Validity | None:
    """Return the validity of the first certificate of a file; None if it cannot be read.

    Args:
        pem: content of a certificate file.
    """
    try:
        start = pem.index("-----BEGIN CERTIFICATE-----")
        end = pem.index("-----END CERTIFICATE-----", start)
        return validity_of_der(ssl.PEM_cert_to_DER_cert(pem[start:end] + "-----END CERTIFICATE-----\n"))
    except ValueError:
        return None


def validity_of_der(der: bytes) -> Validity | None:
    """Return the validity of one certificate; None if it cannot be read.

    Args:
        der: the certificate as it travels in TLS.
    """
    try:
        _, certificate, _ = _element(der)
        _, body, _ = _element(certificate)
        fields = _elements(body)
        if fields[0][0] == _VERSION:
            fields = fields[1:]
        kind, content = fields[3]
        begin, end = _elements(content)
        return Validity(_time(begin), _time(end)) if kind == _SEQUENCE else None
    except (ValueError, IndexError):
        return None


def _time(element: tuple[int, bytes]) -> float:
    kind, value = element
    if kind not in (_UTC_TIME, _GENERALIZED_TIME):
        raise ValueError("not a time")
    form = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(value.decode("ascii"), form).replace(tzinfo=UTC).timestamp()


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        kind, value, data = _element(data)
        found.append((kind, value))
    return found


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return (tag, content, what follows) of the first element.

    Raises:
        IndexError: the data ends early.
        ValueError: the length is longer than the data.
    """
    kind, length, start = data[0], data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start])
    if start + length > len(data):
        raise ValueError("an element is longer than what holds it")
    return kind, data[start : start + length], data[start + length :]
