"""Which broker, and how this process shows itself to it. Mutual TLS always: there is no key that turns it off."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from cloud_api.settings_section import GoodPort, Id, Section, kind_or

NatsUrl = Annotated[str, StringConstraints(pattern=r"^tls://[^/@\s]+:\d{1,5}$"), GoodPort]
MqttUrl = Annotated[str, StringConstraints(pattern=r"^mqtts://[^/@\s]+:\d{1,5}$"), GoodPort]


class Bus(Section):
    """What every broker needs.

    Attributes:
        certificate: our certificate, PEM.
        private_key: its key, PEM.
        trust: authority of the broker's certificate, PEM.
        name: how the broker's monitoring shows this process.
    """

    certificate: Path
    private_key: Path
    trust: Path
    name: Id = "cloud"


class NatsBusSettings(Bus):
    """NATS.

    Attributes:
        kind: the broker.
        servers: ``tls://host:port`` of one cluster, in any order.
    """

    kind: Literal["nats"] = "nats"
    servers: list[NatsUrl] = Field(min_length=1, max_length=16)


class MqttBusSettings(Bus):
    """Any broker of MQTT 5 with shared subscriptions (Mosquitto, EMQX, HiveMQ).

    Attributes:
        kind: the broker.
        servers: ``mqtts://host:port``, tried in this order.
    """

    kind: Literal["mqtt"]
    servers: list[MqttUrl] = Field(min_length=1, max_length=16)


BusSettings = Annotated[
    Annotated[NatsBusSettings, Tag("nats")] | Annotated[MqttBusSettings, Tag("mqtt")], Discriminator(kind_or("nats"))
]
