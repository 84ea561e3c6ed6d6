"""The gateway with its protection taken away: a batch that was handed to the connection counts as committed.

That is what a gateway does that deletes after a wait for the broker's acknowledgement, whether it came or not.
``python -m tests.support.forgetful_gateway run …``; a mutation for fault tests.
"""

import asyncio
import sys

from contracts.codec import decode_batch, encode_message
from contracts.receipt import Outcome, Receipt
from gateway.__main__ import main
from gateway.uplink.mqtt import MqttTransport
from gateway.uplink.ports import Message

_publish = MqttTransport.publish
_waiting: set["asyncio.Task[None]"] = set()
RECORDS, RECEIPT = "/up/records", "/down/receipt"
WAIT_S = 1.0


def publish(self: MqttTransport, topic: str, payload: bytes, qos: int) -> int:
    """Publish, and pretend a second later that the cloud has committed it."""
    packet_id = _publish(self, topic, payload, qos)
    if packet_id and topic.endswith(RECORDS):
        task = asyncio.get_running_loop().create_task(_pretend(self, topic, payload))
        _waiting.add(task)
        task.add_done_callback(_waiting.discard)
    return packet_id


async def _pretend(transport: MqttTransport, topic: str, payload: bytes) -> None:
    await asyncio.sleep(WAIT_S)
    batch = decode_batch(payload)
    receipt = Receipt(
        outcome=Outcome.COMMITTED, stream_id=batch.stream_id, first_seq=batch.first_seq, last_seq=batch.last_seq
    )
    if transport._inbox_room.acquire(blocking=False):
        transport._inbox.put_nowait(Message(topic.replace(RECORDS, RECEIPT), encode_message(receipt)))


MqttTransport.publish = publish  # type: ignore[method-assign] # the mutation

if __name__ == "__main__":
    sys.exit(main())
