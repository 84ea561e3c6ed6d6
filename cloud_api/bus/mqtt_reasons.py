"""What an MQTT broker's answer, or a failure of TCP and TLS, means for the one who has to act. Only words.

*Source:* MQTT 5.0 clause 2.4 (reason codes), 3.2.2.2, 3.9.3 and 3.14.2.1 (where they may occur).
"""

import socket
import ssl

from contracts.errors import LinkError

OPERATION = "connect to broker"
FIRST_FAILURE = 0x80
"""Codes from here on are failures."""

_RIGHTS = "is this certificate registered at the broker, not expired, not revoked, and may it hear and say its topics?"
_OWN = "is bus.certificate expired, revoked, or of another authority?"
_SHARED = "the broker must know shared subscriptions (MQTT 5.0 clause 4.8.2)"
_MQTT_5 = "the broker must speak MQTT 5"
_LOAD = "see the broker's limits and its log"

MEANINGS: dict[int, tuple[str, str]] = {
    0x81: ("protocol", _MQTT_5),
    0x82: ("protocol", _MQTT_5),
    0x84: ("protocol", _MQTT_5),
    0x85: ("client_id", "the broker refuses the client id: does it bind ids to certificates?"),
    0x86: ("not_authorised", _RIGHTS),
    0x87: ("not_authorised", _RIGHTS),
    0x88: ("server_busy", _LOAD),
    0x89: ("server_busy", _LOAD),
    0x8A: ("banned", "the broker has banned this process: ask who runs it"),
    0x8B: ("server_shutdown", ""),
    0x8C: ("not_authorised", _RIGHTS),
    0x8D: ("keepalive", "the broker heard nothing for too long"),
    0x8E: ("taken_over", "another process uses this client id"),
    0x8F: ("not_authorised", _RIGHTS),
    0x90: ("not_authorised", _RIGHTS),
    0x93: ("receive_maximum", "the broker says that too much was sent at once"),
    0x95: ("packet_too_large", "raise the broker's limit of one packet"),
    0x96: ("server_busy", _LOAD),
    0x97: ("quota_exceeded", "raise the broker's quota for the cloud"),
    0x98: ("administrative", "the broker's operator has ended the connection"),
    0x9B: ("qos", "the broker must deliver at QoS 1"),
    0x9C: ("server_moved", "put the broker's new address into bus.servers"),
    0x9D: ("server_moved", "put the broker's new address into bus.servers"),
    0x9E: ("no_shared_subscriptions", _SHARED),
    0x9F: ("server_busy", _LOAD),
    0xA2: ("protocol", "the broker must know wildcards in subscriptions"),
}
"""Codes that a client of ours can be sent; another one is a plain refusal."""

_NETWORK: tuple[tuple[type[Exception], str, str], ...] = (
    (socket.gaierror, "unreachable", "check bus.servers and the name server"),
    (ConnectionRefusedError, "unreachable", "is the broker running?"),
    (TimeoutError, "timeout", "check the network and its firewalls"),
)


def refused(subject: str, code: int, answer: str) -> LinkError:
    """Translate a CONNACK, SUBACK or DISCONNECT that says no.

    Args:
        subject: host and port.
        code: reason code, from ``FIRST_FAILURE``.
        answer: the same in words.
    """
    reason, hint = MEANINGS.get(code, ("refused", "see the broker's log"))
    return LinkError(OPERATION, subject, answer, hint, reason)


def from_exception(subject: str, error: Exception) -> LinkError:
    """Translate a failure of TCP or TLS."""
    cause = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError):
        is_ours = "ALERT" in (getattr(error, "reason", None) or "")
        return LinkError(OPERATION, subject, cause, _OWN if is_ours else "check bus.trust", "tls")
    for kind, reason, hint in _NETWORK:
        if isinstance(error, kind):
            return LinkError(OPERATION, subject, cause, hint, reason)
    return LinkError(OPERATION, subject, cause, "is the broker running?", "unreachable")


def closed_early(subject: str) -> LinkError:
    """Translate an end before the CONNACK: with TLS 1.3 that is how a refused client certificate looks."""
    return LinkError(OPERATION, subject, "the broker closed the connection", _OWN, "closed_early")


def no_qos_1(subject: str, answer: str) -> LinkError:
    """Translate a subscription that was granted without acknowledgement: the broker would not hold anything back."""
    return LinkError(OPERATION, subject, f"subscription granted as {answer}", *MEANINGS[0x9B][::-1])


def timed_out(subject: str) -> LinkError:
    """Translate a broker that took the connection and did not answer."""
    return LinkError(OPERATION, subject, "no answer in time", "does the broker hang?", "timeout")
