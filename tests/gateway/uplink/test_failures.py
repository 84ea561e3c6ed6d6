import socket
import ssl

import pytest

from gateway.uplink import failures


def tls_error(kind: type[ssl.SSLError], reason: str) -> ssl.SSLError:
    error = kind(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(111, "refused"), "refused"),
        (socket.gaierror(-2, "unknown"), "name"),
        (TimeoutError(), "timeout"),
        (ConnectionResetError(104, "reset"), "network"),
        (tls_error(ssl.SSLError, "TLSV13_ALERT_CERTIFICATE_REQUIRED"), "own_certificate"),
        (tls_error(ssl.SSLError, "SSLV3_ALERT_CERTIFICATE_EXPIRED"), "own_certificate"),
        (tls_error(ssl.SSLError, "WRONG_VERSION_NUMBER"), "tls"),
    ],
)
def test_each_failure_has_a_reason_and_a_hint(error: Exception, reason: str) -> None:
    failure = failures.from_exception("broker:8883", error)
    assert failure.reason == reason
    assert failure.hint
    assert failure.cause


def test_a_broker_that_is_not_who_it_should_be_is_told_from_a_certificate_of_ours() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "Hostname mismatch"
    failure = failures.from_exception("broker:8883", error)
    assert (failure.reason, failure.cause) == ("broker_certificate", "Hostname mismatch")
    assert failures.closed_early("b").hint == failures.OWN_CERTIFICATE_HINT
    assert failures.refused("b", 0x87, "Not authorized").reason == "not_authorised"


def test_an_end_without_a_word_is_a_loss_and_a_reason_code_is_heeded() -> None:
    assert failures.ending(None, "").reason == "lost"
    assert failures.ending(0x00, "Normal disconnection").reason == "lost"
    assert failures.ending(0x8E, "Session taken over").reason == "taken_over"
    assert failures.ending(0x97, "Quota exceeded").hint
