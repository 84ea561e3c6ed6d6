"""The cloud's side of mutual TLS towards the broker. There is no way to switch the checks off."""

import socket
import ssl
from pathlib import Path

from contracts.errors import ConfigError


class _HandshakingContext(ssl.SSLContext):
    """Makes the handshake of a socket while it wraps it, under the socket's own timeout: a failure then closes it.

    paho wraps first and shakes hands later, and forgets a socket whose handshake fails. asyncio does not come by here.
    """

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the signature is the standard library's
        do_handshake_on_connect: bool = True,  # noqa: ARG002, FBT001, FBT002 - the same; always now
        suppress_ragged_eofs: bool = True,  # noqa: FBT001, FBT002 - the same
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        return super().wrap_socket(sock, server_side, True, suppress_ragged_eofs, server_hostname, session)


def client_context(certificate: Path, private_key: Path, trust: Path) -> ssl.SSLContext:
    """Build a context that shows our certificate and trusts exactly the given authority.

    Args:
        certificate: our certificate and its chain, PEM.
        private_key: its key, PEM.
        trust: authority of the broker's certificate, PEM; the system's authorities are not trusted.

    Raises:
        ConfigError: a file cannot be read or is not what it should be (reason ``bad_certificate``).
    """
    context = _HandshakingContext(ssl.PROTOCOL_TLS_CLIENT)
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
