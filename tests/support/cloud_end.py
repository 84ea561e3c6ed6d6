"""The cloud's end of the wire for tests of the gateway: takes batches off the bus, remembers them, sends receipts.

It keeps the ledger as the store role does: a range seen again is acknowledged again and changes nothing.
"""

import asyncio
from collections.abc import Callable

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.batch import Batch
from contracts.codec import decode_batch, decode_message, digest, encode_message
from contracts.commands import Command, CommandResult
from contracts.errors import PeerError
from contracts.health import GatewayStatus
from contracts.payloads import Gap
from contracts.receipt import Outcome, Receipt
from contracts.records import Record
from contracts.topics import Channel, all_gateways, parse_topic, topic


class CloudEnd:
    """Attributes: ``ledger`` (batches by range), ``repeats``, ``statuses``, ``results``; ``judge`` decides a batch."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self.ledger: dict[tuple[str, int, int], Batch] = {}
        self.repeats = 0
        self.received = 0
        self.statuses: list[GatewayStatus] = []
        self.results: list[CommandResult] = []
        self.is_silent = False
        self.judge: Callable[[Batch, bytes], Receipt] = committed

    async def connect(self, port: int) -> None:
        """Connect to the broker's NATS port and subscribe."""
        self._client = await nats.connect(
            f"nats://127.0.0.1:{port}", allow_reconnect=True, max_reconnect_attempts=-1, reconnect_time_wait=0.1,
            error_cb=_ignore,
        )  # fmt: skip
        await self._client.subscribe(all_gateways(Channel.RECORDS), cb=self._on_records)
        await self._client.subscribe(all_gateways(Channel.STATUS), cb=self._on_status)
        await self._client.subscribe(all_gateways(Channel.RESULT), cb=self._on_result)
        await self._client.flush()

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await self._client.close()

    async def command(self, site: str, gateway: str, command: Command) -> None:
        """Send a command."""
        assert self._client is not None
        await self._client.publish(topic(site, gateway, Channel.COMMAND).subject(), encode_message(command))

    def records(self, record_class: str) -> list[Record]:
        """Return the committed records of a class, in order, gaps left out."""
        found = [
            record
            for (stream_id, _, _), batch in self.ledger.items()
            if stream_id.endswith(f".{record_class}")
            for record in batch.records
            if not isinstance(record.payload, Gap)
        ]
        return sorted(found, key=lambda record: record.seq)

    def unexplained(self) -> dict[str, list[int]]:
        """Return, by stream, the numbers from 1 to the highest that neither a record nor a gap accounts for."""
        missing: dict[str, list[int]] = {}
        for stream_id in {key[0] for key in self.ledger}:
            seen: set[int] = set()
            for name, first, last in self.ledger:
                if name == stream_id:
                    assert seen.isdisjoint(range(first, last + 1)), f"{stream_id}: {first}..{last} overlaps"
                    seen.update(range(first, last + 1))
            holes = sorted(set(range(1, max(seen) + 1)) - seen)
            if holes:
                missing[stream_id] = holes
        return missing

    async def until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
                await asyncio.sleep(0.02)

    async def _on_records(self, message: Msg) -> None:
        self.received += 1
        if self.is_silent:
            return
        place = parse_topic(message.subject)
        try:
            batch = decode_batch(message.data)
        except PeerError as exc:
            receipt = Receipt(outcome=Outcome.REFUSED, digest=digest(message.data), reason=exc.reason)
        else:
            receipt = self.judge(batch, message.data)
            if receipt.outcome is Outcome.COMMITTED:
                key = (batch.stream_id, batch.first_seq, batch.last_seq)
                self.repeats += key in self.ledger
                self.ledger.setdefault(key, batch)
        assert self._client is not None
        subject = topic(place.site, place.gateway, Channel.RECEIPT).subject()
        await self._client.publish(subject, encode_message(receipt))

    async def _on_status(self, message: Msg) -> None:
        self.statuses.append(decode_message(message.data, GatewayStatus))

    async def _on_result(self, message: Msg) -> None:
        self.results.append(decode_message(message.data, CommandResult))


def committed(batch: Batch, _data: bytes) -> Receipt:
    """Accept a batch."""
    return Receipt(
        outcome=Outcome.COMMITTED, stream_id=batch.stream_id, first_seq=batch.first_seq, last_seq=batch.last_seq
    )


async def _ignore(_error: Exception) -> None:
    """Reconnecting is what the tests are about."""
