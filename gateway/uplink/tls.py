"""The TLS context of the uplink: mutual, always. There is no way to switch the checks off.

Where the system clock is known to be wrong, OpenSSL checks everything but the dates, and the dates of the verified
chain are checked here by the time that is known, before the handshake counts as made.

*Source:* RFC 8446 (TLS 1.3), RFC 9325 clause 3.1.1 (nothing below TLS 1.2), RFC 6125 (names of servers); OpenSSL
X509_VERIFY_PARAM_set_flags(3); docs/adr/0124.
"""

import socket
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contracts.errors import LinkError
from firmware_configs.device import Identity
from gateway.certificate import validity_of_der
from gateway.timekeeping.floor_policy import JudgeBy
from gateway.uplink.chain_policy import objection

NO_CHECK_TIME = 0x200000
"""``X509_V_FLAG_NO_CHECK_TIME`` of OpenSSL, which Python has no name for: dates are not OpenSSL's business."""
_CERTIFICATE_EXPIRED = 10
_DER = 2
"""``ENCODING_DER`` of Python's ``_ssl``."""


class _DatedSocket(ssl.SSLSocket):
    """Judges the dates of the peer's chain itself, at the end of the handshake."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature is the standard library's
        super().do_handshake(block)
        _judge_dates(self)


class _DatedObject(ssl.SSLObject):
    """The same for TLS without a socket, as asyncio has it."""

    def do_handshake(self) -> None:
        super().do_handshake()
        _judge_dates(self)


class _NamedContext(ssl.SSLContext):
    """Checks the broker's certificate against a name of ours, where it is reached under another (a tunnel, an IP)."""

    server_name = ""
    judge_by: JudgeBy | None = None

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


def make_context(identity: Identity, server_name: str, judge_by: JudgeBy | None = None) -> ssl.SSLContext:
    """Make the context of one connection; read anew each time, so that a renewed certificate is taken up.

    Args:
        identity: PEM files of the gateway's certificate, its key and the authorities it trusts.
        server_name: name that the broker's certificate must carry.
        judge_by: time that dates of certificates are judged by; None for the system clock, by OpenSSL.

    Raises:
        LinkError: a file is missing, unreadable or not what it should be (reason ``identity``).
    """
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = server_name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    if judge_by is not None:
        context.judge_by = judge_by
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        context.sslsocket_class = _DatedSocket
        context.sslobject_class = _DatedObject
    _check_key(identity.private_key)
    _load(identity.trust, "identity.trust", lambda: context.load_verify_locations(identity.trust))
    _load(
        identity.certificate,
        "identity.certificate and identity.private_key",
        lambda: context.load_cert_chain(identity.certificate, identity.private_key),
    )
    return context


def _judge_dates(tls: ssl.SSLSocket | ssl.SSLObject) -> None:
    """Refuse a chain that is out of date.

    Raises:
        ssl.SSLCertVerificationError: it is; with the words for the technician as ``verify_message``.
    """
    context = tls.context
    judge_by = context.judge_by if isinstance(context, _NamedContext) else None
    if judge_by is None:
        return
    fault = objection([validity_of_der(der) for der in _verified_chain(tls)], judge_by)
    if fault:
        error = ssl.SSLCertVerificationError(1, f"certificate verify failed: {fault}")
        error.verify_code, error.verify_message = _CERTIFICATE_EXPIRED, fault
        raise error


def _verified_chain(tls: ssl.SSLSocket | ssl.SSLObject) -> list[bytes]:
    """Return the chain that OpenSSL has verified, from the peer to the authority; none before the handshake."""
    if hasattr(tls, "get_verified_chain"):  # public from Python 3.13 on
        return list(tls.get_verified_chain())
    inner: Any = tls._sslobj  # type: ignore[union-attr]  # noqa: SLF001 - the only way there before
    return [each.public_bytes(_DER) for each in inner.get_verified_chain() or []]


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
