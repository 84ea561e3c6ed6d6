"""The cloud's side of mutual TLS towards the broker."""

import ssl
from pathlib import Path

from contracts.errors import ConfigError


def client_context(certificate: Path, private_key: Path, trust: Path) -> ssl.SSLContext:
    """Build a context that shows our certificate and trusts exactly the given authority.

    Args:
        certificate: our certificate and its chain, PEM.
        private_key: its key, PEM.
        trust: authority of the broker's certificate, PEM; the system's authorities are not trusted.

    Raises:
        ConfigError: a file cannot be read or is not what it should be (reason ``bad_certificate``).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=trust)
    except (OSError, ssl.SSLError) as exc:
        hint = "bus.trust: a PEM file with the authority that signed the broker's certificate"
        raise ConfigError("read certificate", str(trust), str(exc), hint, "bad_certificate") from exc
    try:
        context.load_cert_chain(certificate, private_key)
    except (OSError, ssl.SSLError) as exc:
        hint = "bus.certificate and bus.private_key: two PEM files that belong together"
        raise ConfigError("read certificate", str(certificate), str(exc), hint, "bad_certificate") from exc
    return context
