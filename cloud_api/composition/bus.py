"""The broker of this process, by ``bus.kind``."""

import random

from prometheus_client import CollectorRegistry

from cloud_api.bus.metrics import BusMetrics
from cloud_api.bus.mqtt_bus import MqttBus
from cloud_api.bus.nats_bus import NatsBus
from cloud_api.bus.tls import client_context
from cloud_api.composition.parts import RunningBus
from cloud_api.settings_bus import MqttBusSettings, NatsBusSettings


def open_bus(settings: NatsBusSettings | MqttBusSettings, registry: CollectorRegistry) -> RunningBus:
    """Make the bus; it connects once its ``run`` is started.

    Args:
        settings: resolved settings.
        registry: where its figures are registered.

    Raises:
        ConfigError: a certificate cannot be used.
    """
    context = client_context(settings.certificate, settings.private_key, settings.trust)
    jitter = random.Random()  # noqa: S311 - jitter, no secret
    adapter = MqttBus if isinstance(settings, MqttBusSettings) else NatsBus
    return adapter(list(settings.servers), context, settings.name, BusMetrics(registry), jitter)
