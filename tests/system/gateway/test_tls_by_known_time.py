"""Mutual TLS while the system clock is wrong: real handshakes with a real broker.

The clock of the machine cannot be set by a test, so the certificates are: the broker's is valid from ten days on, to
which this machine's clock is what 1970 is to a device. Everything else about it is as it should be.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time_ns

import pytest

from contracts.errors import LinkError
from firmware_configs.device import Broker, Identity
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.timekeeping.floor_policy import BelievedTime, JudgeBy
from gateway.timekeeping.timekeeper import Timekeeper
from gateway.uplink import tls
from gateway.uplink.mqtt import MqttTransport
from tests.gateway.timekeeping.test_timekeeper import Notes
from tests.support.certs import TestAuthority
from tests.support.mqtt_broker import TestBroker

pytestmark = pytest.mark.system

DAY_NS = 86_400 * 1_000_000_000


class BehindClock:
    """A device whose system clock is this machine's, days behind the true time, and steered by nobody."""

    boot_id = "b1"

    def mono_ns(self) -> int:
        return time_ns()

    def wall_ns(self) -> int:
        return time_ns()

    def believed_time(self) -> BelievedTime | None:
        return None


def in_days(days: float) -> int:
    return time_ns() + round(days * DAY_NS)


@pytest.fixture
def late_broker(folder: Path, authority: TestAuthority) -> Iterator[TestBroker]:
    """A broker whose certificate is valid from day 3 to day 8; that of the authority ends on day 10."""
    server = authority.issue("broker.test", is_server=True, days=(3, 8))
    broker = TestBroker(folder / "late", authority, server)
    broker.start()
    yield broker
    broker.kill()


def transport(
    authority: TestAuthority, judge_by: Callable[[], JudgeBy | None], trust: Path | None = None
) -> MqttTransport:
    pair = authority.issue("gw-1")
    identity = Identity(certificate=pair.certificate, private_key=pair.key, trust=trust or authority.trust)
    return MqttTransport("gw-1", identity, UplinkSettings(), [("down/receipt", 0)], Counters(), judge_by)


def where(broker: TestBroker, name: str = "broker.test") -> Broker:
    return Broker(host="127.0.0.1", port=broker.mqtt_port, server_name=name)


async def refusal(link: MqttTransport, broker: Broker) -> str:
    with pytest.raises(LinkError) as caught:
        await link.connect(broker)
    await link.disconnect()
    assert caught.value.reason == "broker_certificate"
    return caught.value.cause


async def test_with_a_clock_of_the_past_it_connects_by_the_last_known_time(
    late_broker: TestBroker, authority: TestAuthority, tmp_path: Path
) -> None:
    keeper = Timekeeper(tmp_path / "known_time", BehindClock(), Notes(), floor_ns=in_days(4))
    link = transport(authority, keeper.judge_by)
    await link.connect(where(late_broker))
    assert link.publish("down/receipt", b"hello", 1)
    async with asyncio.timeout(5):
        (message,) = await link.next_messages()
    assert getattr(message, "payload", None) == b"hello"
    assert await link.answers(where(late_broker)), "the probe of another broker judges alike"
    await link.disconnect()


async def test_without_the_known_time_it_would_not_connect(late_broker: TestBroker, authority: TestAuthority) -> None:
    """Mutation proof: this is what a clock of 1970 costs."""
    link = transport(authority, lambda: None)
    assert await refusal(link, where(late_broker)) == "certificate is not yet valid"
    assert not await link.answers(where(late_broker))


async def test_a_certificate_that_has_ended_by_the_floor_is_refused(
    late_broker: TestBroker, authority: TestAuthority
) -> None:
    link = transport(authority, lambda: JudgeBy(in_days(8.1), is_floor=True))
    assert "expired by the last known time" in await refusal(link, where(late_broker))
    assert not await link.answers(where(late_broker))


async def test_without_our_own_check_an_ended_certificate_would_pass(
    late_broker: TestBroker, authority: TestAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof: OpenSSL was told to leave the dates alone, so somebody has to look at them."""
    monkeypatch.setattr(tls, "objection", lambda _chain, _judge_by: "")
    link = transport(authority, lambda: JudgeBy(in_days(8.1), is_floor=True))
    await link.connect(where(late_broker))
    await link.disconnect()


async def test_the_authoritys_own_end_counts_too(broker: TestBroker, authority: TestAuthority) -> None:
    link = transport(authority, lambda: JudgeBy(in_days(11), is_floor=True))
    assert "expired" in await refusal(link, where(broker))


@pytest.mark.parametrize(("days", "is_valid"), [(2.9, False), (4, True), (8.1, False)])
async def test_by_a_time_that_gnss_tells_both_ends_count(
    late_broker: TestBroker, authority: TestAuthority, days: float, *, is_valid: bool
) -> None:
    link = transport(authority, lambda: JudgeBy(in_days(days), is_floor=False))
    if is_valid:
        await link.connect(where(late_broker))
        await link.disconnect()
    else:
        assert "certificate" in await refusal(link, where(late_broker))


async def test_all_other_checks_stay_with_openssl(
    late_broker: TestBroker, authority: TestAuthority, folder: Path
) -> None:
    def judge_by() -> JudgeBy:
        return JudgeBy(in_days(4), is_floor=True)

    stranger = TestAuthority(folder / "other")
    await refusal(transport(authority, judge_by, stranger.trust), where(late_broker))
    await refusal(transport(authority, judge_by), where(late_broker, "other.test"))


def test_a_believed_and_right_clock_uses_openssls_own_check(authority: TestAuthority) -> None:
    pair = authority.issue("gw-1")
    identity = Identity(certificate=pair.certificate, private_key=pair.key, trust=authority.trust)
    context = tls.make_context(identity, "broker.test", None)
    assert not context.verify_flags & tls.NO_CHECK_TIME
    assert context.sslsocket_class is ssl.SSLSocket
