"""A subscription, and the way of one message into its handler: the same for every adapter of the bus."""

from dataclasses import dataclass

import structlog

from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.ports import Handler
from contracts.errors import PeerError
from contracts.topics import Channel, parse_topic

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Subscription:
    """What is heard, by which group ("" alone), and who takes it."""

    channel: Channel
    group: str
    handler: Handler


async def hand_over(subscription: Subscription, address: str, data: bytes, metrics: BusMetrics) -> None:
    """Give one message to its handler; returns when the handler has.

    Args:
        subscription: whose message it is.
        address: MQTT topic or NATS subject it came on.
        data: its payload.
        metrics: counts it, and what does not belong here or could not be borne.
    """
    try:
        topic = parse_topic(address)
    except PeerError as exc:
        metrics.dropped.labels(exc.reason).inc()
        return
    channel = subscription.channel.value
    metrics.messages.labels(channel).inc()
    try:
        await subscription.handler(topic, data)
    except Exception:  # noqa: BLE001 - whatever it is, it is logged with its traceback and counted
        # one message that a handler cannot bear must not end the subscription for all gateways
        metrics.handler_errors.labels(channel).inc()
        _log.exception("bus_handler_failed", channel=channel, gateway=topic.gateway, site=topic.site)
