"""The uplink against a real Mosquitto, by MQTT 5 and 3.1.1: what it takes, what it refuses, and what it hides."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_configs.device import Broker, Identity
from gateway.outbox.models import Lane
from tests.support.certs import TestAuthority
from tests.support.mosquitto import Mosquitto
from tests.support.real_uplink import MqttCloud, RealUplink, until
from tests.support.uplink_doubles import ListStore, commit, stored

pytestmark = pytest.mark.system

LARGE_BYTES = 20_000
MANY_CUTS = 12
PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


class Site:
    """Brokers and what connects to them, ended together."""

    def __init__(self, folder: Path, authority: TestAuthority, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self._authority = authority
        self._stack = stack
        self._brokers = 0
        pair = authority.issue("gw-1")
        self._identity = Identity(certificate=pair.certificate, private_key=pair.key, trust=authority.trust)

    def broker(self, *options: str) -> Mosquitto:
        self._brokers += 1
        broker = Mosquitto(self._folder / f"broker{self._brokers}", self._authority, options)
        broker.start()
        self._stack.callback(broker.kill)
        return broker

    def cloud(self, broker: Mosquitto) -> MqttCloud:
        cloud = MqttCloud(broker.port)
        self._stack.callback(cloud.close)
        return cloud

    def uplink(self, brokers: list[Mosquitto], store: ListStore, **settings: Any) -> RealUplink:
        where = [Broker(host="127.0.0.1", port=item.mqtt_port, server_name="mosquitto.test") for item in brokers]
        return RealUplink("gw-1", self._identity, where, store, **settings)


@pytest.fixture
def site(folder: Path, authority: TestAuthority) -> Iterator[Site]:
    with contextlib.ExitStack() as stack:
        yield Site(folder, authority, stack)


def with_large(count: int, lane: Lane = Lane.BACKLOG) -> ListStore:
    """A store of small batches, the second of which is large."""
    store = ListStore(0)
    store.batches = {number: stored(number, lane) for number in range(1, count + 1)}
    store.batches[2] = stored(2, lane, LARGE_BYTES)
    return store


@PROTOCOLS
async def test_batches_go_up_and_receipts_come_down(site: Site, protocol: str) -> None:
    broker = site.broker()
    site.cloud(broker)
    gateway = site.uplink([broker], ListStore(200), protocol=protocol)
    async with gateway.running():
        await until(lambda: not gateway.store.batches, "all committed")
    assert gateway.counters.total("batches_resent") == 0


@PROTOCOLS
async def test_a_batch_on_which_the_broker_cuts_the_connection_is_found_and_blocks_nobody(
    site: Site, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto 2.0 ends the connection of a client whose message is over ``message_size_limit``."""
    gateway = await cutting(site, protocol)
    assert set(gateway.store.batches) == {2}
    assert gateway.uplink.figures().stragglers == 1
    assert gateway.counters.total("batches_cutting") == 1
    monkeypatch.setattr("gateway.uplink.lanes_policy.CAREFUL_AFTER", 10**9)
    gateway = await cutting(site, protocol)
    assert gateway.uplink.figures().stragglers == 0, "mutation proof: without care the same batch cuts for ever"
    assert gateway.counters.total("uplink_lost") >= MANY_CUTS


async def cutting(site: Site, protocol: str) -> RealUplink:
    """Run until the cutting batch is found, or has cut many connections."""
    broker = site.broker(f"message_size_limit {LARGE_BYTES - 1000}")
    site.cloud(broker)
    gateway = site.uplink([broker], with_large(10, Lane.LIVE), protocol=protocol)
    async with gateway.running():
        await until(
            lambda: gateway.uplink.figures().stragglers > 0 or gateway.counters.total("uplink_lost") >= MANY_CUTS,
            "found, or many cuts",
        )
        if gateway.uplink.figures().stragglers:
            await until(lambda: set(gateway.store.batches) == {2}, "the small ones committed")
    return gateway


@PROTOCOLS
async def test_a_batch_that_is_swallowed_on_the_way_blocks_nobody(site: Site, protocol: str) -> None:
    broker = site.broker()
    site.cloud(broker).answer = lambda data: [] if len(data) == LARGE_BYTES else commit(data)
    store = with_large(10, Lane.LIVE)
    gateway = site.uplink([broker], store, protocol=protocol, receipt_timeout_s=0.05, resend_cap_s=0.1)
    number = 10
    async with gateway.running():
        while not gateway.uplink.figures().stragglers:
            store.batches |= {item: stored(item) for item in range(number + 1, number + 6)}
            number += 5
            gateway.uplink.wake()
            await until(lambda: set(store.batches) == {2}, "the small ones committed")
            assert number < 1000
    assert gateway.counters.total("batches_passed_over") == 1


async def test_a_limit_that_the_broker_announces_is_kept_and_the_next_broker_takes_the_batch(site: Site) -> None:
    small, large = site.broker("max_packet_size 8000"), site.broker()
    site.cloud(small)
    site.cloud(large)
    gateway = site.uplink([small, large], with_large(10), protocol="5", receipt_timeout_s=0.5)
    async with gateway.running():
        await until(lambda: set(gateway.store.batches) == {2}, "the small ones committed")
        assert gateway.store.refused == []
        assert gateway.counters.total("batches_over_broker_limit") >= 1
        small.kill()
        await until(lambda: not gateway.store.batches, "the next broker takes the large one", 20)
    assert gateway.store.refused == []


async def test_a_refused_right_is_told_by_mqtt_5_and_the_next_broker_is_used(site: Site, folder: Path) -> None:
    forbidding, allowing = site.broker(*no_publishing(folder)), site.broker()
    site.cloud(allowing)
    gateway = site.uplink([forbidding, allowing], ListStore(5), protocol="5", receipt_timeout_s=0.5)
    async with gateway.running():
        await until(lambda: gateway.counters.total("puback_not_authorised") > 0, "the refusal")
        await until(lambda: gateway.uplink.state.broker.endswith(str(allowing.mqtt_port)), "the next broker")
        await until(lambda: not gateway.store.batches, "all committed", 40)


async def test_a_broker_that_passes_nothing_on_is_told_by_the_missing_receipts(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MQTT 3.1.1: it acknowledges each batch, and no cloud ever sees one."""
    monkeypatch.setattr("gateway.uplink.silence_policy.NOTICE_S", 0.3)
    monkeypatch.setattr("gateway.uplink.silence_policy.FIRST_LIMIT_S", 1.5)
    hiding, passing = site.broker(), site.broker()
    site.cloud(passing)
    gateway = site.uplink([hiding, passing], ListStore(5), protocol="3.1.1", receipt_timeout_s=0.2)
    async with gateway.running():
        await until(lambda: gateway.uplink.state.reason == "no_receipts", "the silence is shown")
        assert gateway.uplink.state.hint
        await until(lambda: not gateway.store.batches, "the next broker", 20)
    assert gateway.counters.total("uplink_unanswered") == 1


async def test_a_broker_that_shuts_down_says_so_and_the_gateway_goes_on_and_comes_back(site: Site) -> None:
    first, second = site.broker(), site.broker()
    site.cloud(second)
    gateway = site.uplink([first, second], ListStore(0), protocol="5", return_after_s=0.6)
    async with gateway.running():
        await until(lambda: gateway.uplink.state.is_up, "connected")
        first.stop()
        await until(lambda: gateway.uplink.state.broker.endswith(str(second.mqtt_port)), "the next broker")
        await until(lambda: gateway.uplink.state.is_up, "connected to it")
        gateway.store.batches[1] = stored(1)
        gateway.uplink.wake()
        await until(lambda: not gateway.store.batches, "committed")
        first.start()
        await until(lambda: gateway.uplink.state.broker.endswith(str(first.mqtt_port)), "the return")
        await until(lambda: gateway.uplink.state.is_up, "connected again")


async def test_two_gateways_of_one_identity_are_told(site: Site) -> None:
    """Mosquitto 2.0 ends the older connection without a word."""
    broker = site.broker()
    one, other = (site.uplink([broker], ListStore(0), protocol="5") for _ in range(2))
    async with one.running(), other.running():
        await until(lambda: "cut_early" in {one.uplink.state.reason, other.uplink.state.reason}, "they are told")


def no_publishing(folder: Path) -> list[str]:
    """Let nobody publish batches."""
    rights = folder / "rights.acl"
    rights.write_text("topic read porttrack/#\ntopic write porttrack/v1/+/+/down/#\n", encoding="utf-8")
    return [f"acl_file {rights}"]
