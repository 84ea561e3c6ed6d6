"""Mutual TLS against a real broker: what must not connect does not, says why, and goes on trying."""

import asyncio
from pathlib import Path

import pytest

from contracts.errors import LinkError
from firmware_configs.device import Broker, Identity
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.uplink.mqtt import MqttTransport
from gateway.uplink.ports import Message
from tests.support.certs import Pair, TestAuthority
from tests.support.mqtt_broker import TestBroker, free_port

pytestmark = pytest.mark.system


def transport(pair: Pair, trust: Path, protocol: str = "3.1.1") -> MqttTransport:
    identity = Identity(certificate=pair.certificate, private_key=pair.key, trust=trust)
    settings = UplinkSettings.model_validate({"protocol": protocol})
    return MqttTransport("gw-1", identity, settings, [("down/receipt", 0)], Counters())


def where(broker: TestBroker, name: str | None = "broker.test") -> Broker:
    return Broker(host="127.0.0.1", port=broker.mqtt_port, server_name=name)


async def refused(link: MqttTransport, broker: Broker) -> LinkError:
    with pytest.raises(LinkError) as caught:
        await link.connect(broker)
    await link.disconnect()
    return caught.value


async def test_messages_travel_both_ways(broker: TestBroker, authority: TestAuthority) -> None:
    link = transport(authority.issue("gw-1"), authority.trust)
    await link.connect(where(broker))
    assert link.publish("down/receipt", b"hello", 1)
    async with asyncio.timeout(5):
        assert await link.next_messages() == [Message("down/receipt", b"hello")]
    await link.disconnect()
    assert not link.publish("down/receipt", b"hello", 1)


async def test_the_name_is_checked_against_host_where_no_other_is_given(
    broker: TestBroker, authority: TestAuthority
) -> None:
    link = transport(authority.issue("gw-1"), authority.trust)
    await link.connect(where(broker, None))
    await link.disconnect()


async def test_a_broker_of_another_name_is_refused(broker: TestBroker, authority: TestAuthority) -> None:
    failure = await refused(transport(authority.issue("gw-1"), authority.trust), where(broker, "other.test"))
    assert failure.reason == "broker_certificate"


async def test_a_broker_of_another_authority_is_refused(
    broker: TestBroker, authority: TestAuthority, folder: Path
) -> None:
    other = TestAuthority(folder / "other")
    failure = await refused(transport(authority.issue("gw-1"), other.trust), where(broker))
    assert failure.reason == "broker_certificate"


@pytest.mark.parametrize("fault", ["other authority", "expired", "server certificate"])
async def test_a_wrong_certificate_of_ours_is_refused_with_a_hint(
    broker: TestBroker, authority: TestAuthority, folder: Path, fault: str
) -> None:
    if fault == "other authority":
        pair = TestAuthority(folder / "other").issue("gw-1")
    else:
        pair = authority.issue("gw-1", is_expired=fault == "expired", is_server=fault == "server certificate")
    failure = await refused(transport(pair, authority.trust), where(broker))
    assert failure.reason in {"own_certificate", "closed_early"}
    assert "certificate" in failure.hint


async def test_a_port_without_a_broker_is_refused(authority: TestAuthority) -> None:
    link = transport(authority.issue("gw-1"), authority.trust)
    failure = await refused(link, Broker(host="127.0.0.1", port=free_port()))
    assert failure.reason == "refused"


async def test_a_port_without_tls_is_refused(broker: TestBroker, authority: TestAuthority) -> None:
    link = transport(authority.issue("gw-1"), authority.trust)
    failure = await refused(link, Broker(host="127.0.0.1", port=broker.port, server_name="broker.test"))
    assert failure.reason == "tls"


async def test_the_end_of_a_connection_is_noticed(broker: TestBroker, authority: TestAuthority) -> None:
    link = transport(authority.issue("gw-1"), authority.trust)
    await link.connect(where(broker))
    broker.kill()
    async with asyncio.timeout(5):
        assert await link.closed()
    await link.disconnect()
