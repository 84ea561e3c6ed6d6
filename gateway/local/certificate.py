"""Reads the end of validity off a PEM certificate, and nothing else. Sans-io.

Forty lines instead of the cryptography package, which costs the gateway 12 MB of memory for this one date.

*Source:* RFC 5280 clause 4.1 (TBSCertificate: version, serial number, signature, issuer, validity, …), clause 4.1.2.5
(UTCTime and GeneralizedTime); X.690 clause 8.1 (definite lengths).
"""

import ssl
from datetime import UTC, datetime

_SEQUENCE = 0x30
_VERSION = 0xA0
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18


def ends_at(pem: str) -> float | None:
    """Return the end of validity of the first certificate, UTC s since 1970; None if it cannot be read.

    Args:
        pem: content of a certificate file.
    """
    try:
        start = pem.index("-----BEGIN CERTIFICATE-----")
        end = pem.index("-----END CERTIFICATE-----", start)
        der = ssl.PEM_cert_to_DER_cert(pem[start:end] + "-----END CERTIFICATE-----\n")
        _, certificate, _ = _element(der)
        _, body, _ = _element(certificate)
        fields = _elements(body)
        if fields[0][0] == _VERSION:
            fields = fields[1:]
        validity = fields[3]
        kind, value = _elements(validity[1])[1]
        if kind not in (_UTC_TIME, _GENERALIZED_TIME) or validity[0] != _SEQUENCE:
            return None
        form = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
        return datetime.strptime(value.decode("ascii"), form).replace(tzinfo=UTC).timestamp()
    except (ValueError, IndexError):
        return None


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
