"""The TLS context of the uplink: mutual, always. There is no way to switch the checks off.

*Source:* RFC 8446 (TLS 1.3), RFC 9325 clause 3.1.1 (nothing below TLS 1.2), RFC 6125 (names of servers).
"""

import socket
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

from contracts.errors import LinkError
from firmware_configs.device import Identity


class _NamedContext(ssl.SSLContext):
    """Checks the broker's certificate against a name of ours, where it is reached under another (a tunnel, an IP)."""

    server_name = ""

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the signature is the standard library's
        do_handshake_on_connect: bool = True,  # noqa: ARG002, FBT001, FBT002 - the same
        suppress_ragged_eofs: bool = True,  # noqa: FBT001, FBT002 - the same
        server_hostname: str | bytes | None = None,  # noqa: ARG002 - ours is the one that counts
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        # the handshake is made here, under the timeout of the TCP socket, because here a failure closes the socket
        return super().wrap_socket(sock, server_side, True, suppress_ragged_eofs, self.server_name, session)


def make_context(identity: Identity, server_name: str) -> ssl.SSLContext:
    """Make the context of one connection; read anew each time, so that a renewed certificate is taken up.

    Args:
        identity: PEM files of the gateway's certificate, its key and the authorities it trusts.
        server_name: name that the broker's certificate must carry.

    Raises:
        LinkError: a file is missing, unreadable or not what it should be (reason ``identity``).
    """
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = server_name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    _check_key(identity.private_key)
    _load(identity.trust, "identity.trust", lambda: context.load_verify_locations(identity.trust))
    _load(
        identity.certificate,
        "identity.certificate and identity.private_key",
        lambda: context.load_cert_chain(identity.certificate, identity.private_key),
    )
    return context


def _check_key(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as exc:
        raise LinkError(
            "read identity", str(path), exc.strerror or str(exc), "provision the gateway", "identity"
        ) from exc
    if mode & (stat.S_IRWXO):
        raise LinkError("read identity", str(path), "others may read the private key", f"chmod 600 {path}", "identity")


def _load(path: Path, key: str, load: Callable[[], None]) -> None:
    try:
        load()
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        hint = f"check {key} in the device profile"
        raise LinkError("read identity", str(path), str(exc) or type(exc).__name__, hint, "identity") from exc
