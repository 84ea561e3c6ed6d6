"""What went wrong with a connection, in words that help the technician. Sans-io."""

import socket
import ssl

from contracts.errors import LinkError
from gateway.uplink.ports import Ending
from gateway.uplink.reactions_policy import FIRST_FAILURE, reaction_of

OPERATION = "connect to broker"
OWN_CERTIFICATE_HINT = "is the gateway's certificate expired, revoked, or of another authority? provision it again"

_NETWORK_FAILURES: tuple[tuple[type[Exception], str, str], ...] = (
    (socket.gaierror, "name", "check broker.host and the name server"),
    (ConnectionRefusedError, "refused", "is the broker running, is broker.port right?"),
    (TimeoutError, "timeout", "check the network and its firewalls"),
)


def from_exception(subject: str, error: Exception) -> LinkError:
    """Translate a failure of TCP or TLS.

    Args:
        subject: host and port.
        error: as it was raised.
    """
    cause = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError):
        return _from_tls(subject, error, cause)
    for kind, reason, hint in _NETWORK_FAILURES:
        if isinstance(error, kind):
            return LinkError(OPERATION, subject, cause, hint, reason)
    return LinkError(OPERATION, subject, cause, "check the network", "network")


def _from_tls(subject: str, error: ssl.SSLError, cause: str) -> LinkError:
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "check identity.trust and broker.server_name: the broker is not who it should be"
        return LinkError(OPERATION, subject, error.verify_message or cause, hint, "broker_certificate")
    if "ALERT" in (error.reason or ""):
        return LinkError(OPERATION, subject, error.reason or cause, OWN_CERTIFICATE_HINT, "own_certificate")
    return LinkError(OPERATION, subject, cause, "is this the broker's MQTT port with TLS?", "tls")


def refused(subject: str, code: int, answer: str) -> LinkError:
    """Translate a CONNACK or SUBACK that says no.

    Args:
        subject: host and port.
        code: MQTT 5 reason code.
        answer: the same in words.
    """
    reaction = reaction_of(code)
    return LinkError(OPERATION, subject, answer, reaction.hint, reaction.reason)


def ending(code: int | None, cause: str) -> Ending:
    """Translate the end of a connection that was up.

    Args:
        code: reason code of the broker's DISCONNECT; None if it said nothing.
        cause: what is known of it.
    """
    if code is None or code < FIRST_FAILURE:
        return Ending("lost", cause or "the connection ended", "check the network and the broker")
    reaction = reaction_of(code)
    return Ending(reaction.reason, cause, reaction.hint)


def closed_early(subject: str) -> LinkError:
    """Translate an end before the CONNACK: with TLS 1.3 that is how a refused client certificate looks."""
    return LinkError(OPERATION, subject, "the broker closed the connection", OWN_CERTIFICATE_HINT, "closed_early")
