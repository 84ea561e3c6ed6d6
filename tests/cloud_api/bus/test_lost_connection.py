"""A lost connection is noticed although the client never says so: it can hang while it closes its TLS stream."""

import asyncio
import ssl

import pytest

from cloud_api.bus import nats_session
from cloud_api.bus.nats_session import NatsSession
from cloud_api.bus.ports import Subscription


class HungClient:
    """A NATS client that is closed and never calls back, as far as the bus looks at it."""

    is_connected = True

    async def close(self) -> None:
        return


@pytest.fixture
def dropped() -> list[str]:
    return []


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, dropped: list[str]) -> NatsSession:
    monkeypatch.setattr(nats_session, "LOOK_S", 0.01)

    async def hand_over(_subscription: Subscription, _subject: str, _data: bytes) -> None:
        return

    return NatsSession("tls://localhost:1", "cloud", ssl.create_default_context(), hand_over, dropped.append)


async def test_a_client_that_hangs_while_it_closes_counts_as_lost(
    session: NatsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = HungClient()
    monkeypatch.setattr(session, "_client", client)
    waiting = asyncio.create_task(session.attend())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    client.is_connected = False
    async with asyncio.timeout(2):
        await waiting


async def test_without_a_look_at_its_state_the_bus_would_wait_for_ever(
    session: NatsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation proof."""
    client = HungClient()
    client.is_connected = False
    monkeypatch.setattr(session, "_client", client)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await session._lost.wait()


class DeadSubscription:
    """What a lost connection leaves: messages that nobody has taken."""

    def __init__(self) -> None:
        self._pending_queue: asyncio.Queue[bytes] = asyncio.Queue()
        for _ in range(256):
            self._pending_queue.put_nowait(b"batch")


async def test_a_lost_connection_leaves_no_messages_behind(session: NatsSession, dropped: list[str]) -> None:
    left = DeadSubscription()
    session._started.append(left)  # type: ignore[arg-type]
    session._let_go()
    assert left._pending_queue.empty()
    assert session._started == []
    assert dropped == ["connection_lost"] * 256
