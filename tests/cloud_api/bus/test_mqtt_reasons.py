"""What a broker's answer means: a reason that a counter can bear, and a hint for the one who has to act."""

import socket
import ssl

import pytest

from cloud_api.bus import mqtt_reasons
from contracts.errors import LinkError


@pytest.mark.parametrize(
    ("code", "reason"),
    [(0x87, "not_authorised"), (0x8B, "server_shutdown"), (0x8E, "taken_over"), (0x9E, "no_shared_subscriptions")],
)
def test_a_reason_code_becomes_a_word_and_a_hint(code: int, reason: str) -> None:
    error = mqtt_reasons.refused("broker:8883", code, "no")
    assert (error.reason, error.subject, error.cause) == (reason, "broker:8883", "no")


@pytest.mark.parametrize("code", range(mqtt_reasons.FIRST_FAILURE, 0x100))
def test_every_code_has_a_meaning(code: int) -> None:
    error = mqtt_reasons.refused("broker:8883", code, "no")
    assert error.reason == mqtt_reasons.MEANINGS.get(code, ("refused", ""))[0]


@pytest.mark.parametrize(
    ("error", "reason", "hint"),
    [
        (ConnectionRefusedError("refused"), "unreachable", "is the broker running?"),
        (socket.gaierror("no such name"), "unreachable", "name server"),
        (TimeoutError(), "timeout", "firewalls"),
        (OSError("no route"), "unreachable", "running"),
        (ssl.SSLCertVerificationError("self-signed certificate"), "tls", "bus.trust"),
    ],
)
def test_a_failure_of_tcp_or_tls_becomes_a_link_error(error: Exception, reason: str, hint: str) -> None:
    found = mqtt_reasons.from_exception("broker:8883", error)
    assert isinstance(found, LinkError)
    assert found.reason == reason
    assert hint in found.hint
    assert found.cause


def test_an_alert_of_the_broker_points_at_our_own_certificate() -> None:
    error = ssl.SSLError()
    error.reason = "TLSV1_ALERT_UNKNOWN_CA"
    assert "bus.certificate" in mqtt_reasons.from_exception("broker:8883", error).hint


def test_a_subscription_without_acknowledgement_is_refused_by_us() -> None:
    error = mqtt_reasons.no_qos_1("broker:8883", "Granted QoS 0")
    assert error.reason == "qos"
    assert "QoS 1" in error.hint
