"""Reason codes of MQTT 5 over a real connection: each reaches the uplink as what it means."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import LinkError
from firmware_configs.device import Broker, Identity
from gateway.uplink.mqtt import MqttTransport
from tests.support.certs import TestAuthority
from tests.support.real_uplink import RealUplink, until
from tests.support.scripted_broker import ScriptedBroker
from tests.support.uplink_doubles import ListStore, stored

pytestmark = pytest.mark.system

RECEIVE_MAXIMUM_2 = bytes((0x21, 0, 2))
MAXIMUM_PACKET_4000 = bytes((0x27, 0, 0, 0x0F, 0xA0))


@pytest.fixture
async def scripted(authority: TestAuthority) -> AsyncIterator[ScriptedBroker]:
    broker = ScriptedBroker()
    await broker.start(authority)
    yield broker
    await broker.stop()


@pytest.fixture
def identity(authority: TestAuthority, folder: Path) -> Identity:
    assert folder.exists()
    pair = authority.issue("gw-1")
    return Identity(certificate=pair.certificate, private_key=pair.key, trust=authority.trust)


def uplink(broker: ScriptedBroker, identity: Identity, batches: int = 0, **settings: Any) -> RealUplink:
    where = [Broker(host="127.0.0.1", port=broker.port, server_name="scripted.test")]
    return RealUplink("gw-1", identity, where, ListStore(batches), protocol="5", **settings)


@pytest.mark.parametrize(
    ("code", "reason"), [(0x87, "not_authorised"), (0x89, "server_busy"), (0x97, "quota_exceeded"), (0x8A, "banned"),
                         (0x9F, "connection_rate"), (0x9D, "server_moved")]
)  # fmt: skip
async def test_a_refused_connection_has_its_reason_and_a_hint(
    scripted: ScriptedBroker, identity: Identity, code: int, reason: str
) -> None:
    scripted.connack = code
    gateway = uplink(scripted, identity)
    with pytest.raises(LinkError) as caught:
        await gateway.transport.connect(Broker(host="127.0.0.1", port=scripted.port, server_name="scripted.test"))
    assert (caught.value.reason, bool(caught.value.hint)) == (reason, True)


async def test_a_refused_subscription_is_a_missing_right(scripted: ScriptedBroker, identity: Identity) -> None:
    scripted.suback = 0x87
    gateway = uplink(scripted, identity)
    async with gateway.running():
        await until(lambda: gateway.uplink.state.reason == "not_authorised", "the refusal")


@pytest.mark.parametrize(
    ("code", "reason"), [(0x8E, "taken_over"), (0x8B, "server_shutdown"), (0x96, "message_rate"),
                         (0x97, "quota_exceeded"), (0x98, "administrative"), (0x95, "packet_too_large")]
)  # fmt: skip
async def test_the_end_of_a_connection_has_its_reason(
    scripted: ScriptedBroker, identity: Identity, code: int, reason: str
) -> None:
    gateway = uplink(scripted, identity, reconnect_base_s=5, reconnect_cap_s=5)
    link: MqttTransport = gateway.transport
    await link.connect(Broker(host="127.0.0.1", port=scripted.port, server_name="scripted.test"))
    scripted.end(code)
    async with asyncio.timeout(5):
        ending = await link.closed()
    assert (ending.reason, bool(ending.hint)) == (reason, True)
    await link.disconnect()


async def test_a_quota_rests_the_backlog(scripted: ScriptedBroker, identity: Identity) -> None:
    scripted.puback = 0x97
    gateway = uplink(scripted, identity, 3)
    async with gateway.running():
        await until(lambda: gateway.counters.total("puback_quota_exceeded") > 0, "the refusal")
        await until(lambda: gateway.uplink.figures().lanes[2].is_paused, "the rest")
        assert not gateway.uplink.figures().lanes[1].is_paused
    assert len(gateway.store.batches) == 3


async def test_a_receive_maximum_is_kept(scripted: ScriptedBroker, identity: Identity) -> None:
    scripted.properties = RECEIVE_MAXIMUM_2
    scripted.puback = None
    gateway = uplink(scripted, identity, 10)
    async with gateway.running():
        for done in range(10):
            await until(lambda: bool(scripted.held), "a message")
            await asyncio.sleep(0.02)
            assert len(scripted.held) <= 2, f"after {done} acknowledgements"
            scripted.acknowledge()
    assert scripted.published == 10


async def test_a_maximum_packet_size_is_kept(scripted: ScriptedBroker, identity: Identity) -> None:
    scripted.properties = MAXIMUM_PACKET_4000
    gateway = uplink(scripted, identity, 3)
    gateway.store.batches[2] = stored(2, size_bytes=5000)
    async with gateway.running():
        await until(lambda: scripted.published == 2, "the small ones")
        await until(lambda: gateway.counters.total("batches_over_broker_limit") == 1, "the large one is kept back")
    assert len(gateway.store.batches) == 3
