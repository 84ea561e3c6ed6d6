"""What every adapter of the bus must do, against its real broker: nats-server, and Mosquitto over MQTT 5."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud_api.bus.tls import client_context
from contracts.errors import ConfigError, LinkError, PeerError
from contracts.topics import Channel, Topic
from tests.support.buses import (
    ADAPTERS,
    DOWN,
    GATEWAY,
    SITE,
    Bench,
    Plant,
    running,
    running_plain_nats,
    running_plant,
    until,
    up,
)
from tests.support.mqtt_client import MqttClient
from tests.support.prerequisites import is_left_out
from tests.support.processes import free_port

pytestmark = pytest.mark.system


@pytest.fixture(scope="module", params=ADAPTERS)
def plant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    if request.param == "mqtt" and is_left_out("mosquitto"):
        pytest.skip("Debian package mosquitto is not installed")
    with running_plant(request.param, tmp_path_factory.mktemp(request.param)) as running_one:
        yield running_one


@pytest.fixture
async def gateway(plant: Plant) -> AsyncIterator[MqttClient]:
    client = plant.gateway()
    await until(lambda: client.is_connected)
    yield client
    client.close()


def bench_on(plant: Plant) -> Bench:
    return Bench(plant.adapter, [plant.broker.url], plant.identity())


class Kept:
    """A handler that keeps what it takes."""

    def __init__(self) -> None:
        self.messages: list[tuple[Topic, bytes]] = []

    async def __call__(self, topic: Topic, data: bytes) -> None:
        self.messages.append((topic, data))

    @property
    def payloads(self) -> list[bytes]:
        return [data for _, data in self.messages]


async def test_subscriptions_outlive_a_killed_broker(plant: Plant, gateway: MqttClient) -> None:
    bench, heard = bench_on(plant), Kept()
    await bench.bus.subscribe(Channel.RECORDS, heard)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        up(b"before", gateway)
        await until(lambda: heard.messages)
        await asyncio.to_thread(plant.wait_until_ready)
        plant.kill()
        await until(lambda: not bench.bus.is_connected)
        with pytest.raises(LinkError) as caught:
            await bench.bus.publish(DOWN, b"x")
        assert caught.value.reason == "disconnected"
        await asyncio.to_thread(plant.start_again)
        await until(lambda: bench.bus.is_connected and gateway.is_connected, 20)
        up(b"after", gateway)
        await until(lambda: b"after" in heard.payloads)
    assert heard.messages[0] == (Topic(site=SITE, gateway=GATEWAY, channel=Channel.RECORDS), b"before")
    assert bench.count("bus_connects_total") == 2


async def test_a_group_shares_and_a_plain_subscriber_hears_all(plant: Plant, gateway: MqttClient) -> None:
    members = [bench_on(plant) for _ in range(3)]
    shares = [Kept() for _ in members]
    everything = Kept()
    for bench, share in zip(members, shares, strict=True):
        await bench.bus.subscribe_shared(Channel.RECORDS, "store", share)
    await members[0].bus.subscribe(Channel.RECORDS, everything)
    expected = [str(number).encode() for number in range(60)]
    async with running(*members):
        await until(lambda: all(bench.bus.is_connected for bench in members))
        for payload in expected:
            up(payload, gateway)
        await until(lambda: len(everything.messages) == 60)
        await until(lambda: sum(len(share.messages) for share in shares) >= 60)
        await asyncio.sleep(0.2)  # one that came twice would come now
    assert sorted(payload for share in shares for payload in share.payloads) == sorted(expected)
    assert everything.payloads == expected
    assert all(share.messages for share in shares)


async def test_two_groups_each_get_every_message(plant: Plant, gateway: MqttClient) -> None:
    bench, first, second = bench_on(plant), Kept(), Kept()
    await bench.bus.subscribe_shared(Channel.RECORDS, "store", first)
    await bench.bus.subscribe_shared(Channel.RECORDS, "other", second)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        up(b"1", gateway)
        await until(lambda: first.messages and second.messages)
    assert first.payloads == second.payloads == [b"1"]


async def test_a_subscription_made_while_connected_hears_too(plant: Plant, gateway: MqttClient) -> None:
    bench, heard = bench_on(plant), Kept()
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        await bench.bus.subscribe_shared(Channel.RECORDS, "store", heard)
        # NATS confirms no subscription: one round to the server and back
        await asyncio.sleep(0.2)
        up(b"1", gateway)
        await until(lambda: heard.payloads == [b"1"])


async def test_a_failing_handler_is_counted_and_the_next_message_comes(plant: Plant, gateway: MqttClient) -> None:
    bench = bench_on(plant)
    heard: list[bytes] = []

    async def fail_first(_: Topic, data: bytes) -> None:
        heard.append(data)
        if len(heard) == 1:
            raise ZeroDivisionError

    await bench.bus.subscribe(Channel.RECORDS, fail_first)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        up(b"1", gateway)
        up(b"2", gateway)
        await until(lambda: heard == [b"1", b"2"])
    assert bench.count("bus_handler_errors_total", channel="up/records") == 1


async def test_a_slow_handler_takes_one_at_a_time_in_order_and_holds_up_no_other(
    plant: Plant, gateway: MqttClient
) -> None:
    bench, quick = bench_on(plant), Kept()
    slow: list[bytes] = []
    gate, inside = asyncio.Event(), 0

    async def wait(_topic: Topic, data: bytes) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        await gate.wait()
        slow.append(data)
        inside -= 1

    await bench.bus.subscribe_shared(Channel.RECORDS, "store", wait)
    await bench.bus.subscribe(Channel.RECORDS, quick)
    expected = [str(number).encode() for number in range(150)]
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        for payload in expected:
            up(payload, gateway)
        await until(lambda: quick.payloads == expected)
        assert slow == []
        gate.set()
        await until(lambda: slow == expected)
    assert bench.count("bus_dropped_total", reason="slow_consumer") == 0
    assert bench.count("bus_handler_errors_total", channel="up/records") == 0


async def test_what_a_member_had_not_answered_reaches_another_when_it_is_sent_again(
    plant: Plant, gateway: MqttClient
) -> None:
    stuck, other = bench_on(plant), bench_on(plant)
    begun, heard = Kept(), Kept()

    async def begin(topic: Topic, data: bytes) -> None:
        await begun(topic, data)
        await asyncio.Event().wait()

    await stuck.bus.subscribe_shared(Channel.RECORDS, "store", begin)
    await other.bus.subscribe_shared(Channel.RECORDS, "store", heard)
    expected = {str(number).encode() for number in range(20)}
    async with running(other):
        async with running(stuck):
            await until(lambda: stuck.bus.is_connected and other.bus.is_connected)
            for payload in expected:
                up(payload, gateway)
            await until(lambda: begun.messages and heard.messages)
            await asyncio.sleep(0.2)
            assert set(heard.payloads) < expected
        for payload in expected - set(heard.payloads):
            up(payload, gateway)  # as the gateway does, which has no receipt of it
        await until(lambda: set(heard.payloads) == expected)
    assert len(heard.payloads) == len(expected)


async def test_after_stop_delivery_nothing_comes_and_answers_still_go(plant: Plant, gateway: MqttClient) -> None:
    bench, heard = bench_on(plant), Kept()
    await asyncio.to_thread(gateway.subscribe, DOWN.mqtt())
    await bench.bus.subscribe(Channel.RECORDS, heard)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        await bench.bus.stop_delivery()
        up(b"late", gateway)
        await bench.bus.publish(DOWN, b"answer")
        await until(lambda: gateway.messages)
        assert bench.bus.is_connected
    assert gateway.messages == [(DOWN.mqtt(), b"answer")]
    assert heard.messages == []


async def test_receipts_go_out_in_order_however_many(plant: Plant, gateway: MqttClient) -> None:
    bench = bench_on(plant)
    await asyncio.to_thread(gateway.subscribe, DOWN.mqtt())
    expected = [(DOWN.mqtt(), str(number).encode()) for number in range(1000)]
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        for _, payload in expected:
            await bench.bus.publish(DOWN, payload)
        await until(lambda: len(gateway.messages) == 1000)
    assert gateway.messages == expected


async def test_a_message_over_the_broker_s_limit_is_refused_here(plant: Plant) -> None:
    bench = bench_on(plant)
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        for size in (600_000, 2_000_000):
            with pytest.raises(PeerError) as caught:
                await bench.bus.publish(DOWN, b"x" * size)
            assert caught.value.reason == "too_large"
        assert bench.bus.is_connected


async def test_close_ends_run_and_may_be_called_twice(plant: Plant) -> None:
    bench = bench_on(plant)
    task = asyncio.create_task(bench.bus.run())
    await until(lambda: bench.bus.is_connected)
    async with asyncio.timeout(2):
        await bench.bus.close()
        await bench.bus.close()
        await task
    assert not bench.bus.is_connected
    with pytest.raises(LinkError):
        await bench.bus.publish(DOWN, b"x")


async def test_the_next_server_is_tried(plant: Plant) -> None:
    bench = Bench(plant.adapter, [plant.server_url(free_port()), plant.broker.url], plant.identity())
    async with running(bench):
        await until(lambda: bench.bus.is_connected)


async def test_a_revoked_certificate_is_cut_off_and_tried_for_ever(plant: Plant) -> None:
    files = plant.identity()
    bench = Bench(plant.adapter, [plant.broker.url], files)
    reasons = ("unreachable", "closed_early", "tls")
    async with running(bench):
        await until(lambda: bench.bus.is_connected)
        await asyncio.to_thread(plant.revoke, files)
        await until(lambda: not bench.bus.is_connected)
        await until(lambda: sum(bench.count("bus_connect_errors_total", reason=reason) for reason in reasons) >= 2)
        assert not bench.bus.is_connected
    async with running(bench_on(plant)):
        pass


@pytest.fixture
def plain_server(tmp_path: Path) -> Iterator[int]:
    with running_plain_nats(tmp_path) as port:
        yield port


async def test_a_server_that_speaks_plain_text_is_refused(plant: Plant, plain_server: int) -> None:
    bench = Bench(plant.adapter, [plant.server_url(plain_server)], plant.identity())
    reason = "plain_text" if plant.adapter == "nats" else "tls"
    async with running(bench):
        await until(lambda: bench.count("bus_connect_errors_total", reason=reason) >= 1)
        assert not bench.bus.is_connected


async def test_a_server_of_another_authority_is_refused(plant: Plant, tmp_path: Path) -> None:
    with running_plant(plant.adapter, tmp_path) as other:
        bench = Bench(plant.adapter, [plant.broker.url], other.identity())
        async with running(bench):
            await until(lambda: bench.count("bus_connect_errors_total", reason="tls") >= 1)
            assert not bench.bus.is_connected


def test_certificates_that_cannot_be_read_are_named_by_their_key(plant: Plant, tmp_path: Path) -> None:
    files = plant.identity()
    with pytest.raises(ConfigError, match=r"bus\.trust"):
        client_context(files.certificate, files.private_key, tmp_path / "none.pem")
    with pytest.raises(ConfigError, match=r"bus\.certificate"):
        client_context(files.certificate, files.trust, files.trust)
