"""MQTT topics: ``porttrack/v1/{site}/{gateway}/up/{records|status|result}`` and ``.../down/{receipt|command}``.

A gateway publishes only below its own ``up`` and reads only its own ``down``; the broker enforces it from the client
certificate. NATS shows the same topic with dots; both spellings are made here and nowhere else.
"""

from enum import StrEnum

import msgspec

from contracts.errors import PeerError
from contracts.ids import is_id, parse_id

ROOT = "porttrack"
TOPIC_VERSION = "v1"
_LEVELS = 6


class Channel(StrEnum):
    """The last two levels of a topic."""

    RECORDS = "up/records"
    STATUS = "up/status"
    RESULT = "up/result"
    RECEIPT = "down/receipt"
    COMMAND = "down/command"


_CHANNELS = frozenset(channel.value for channel in Channel)


class Topic(msgspec.Struct, frozen=True):
    """One topic, taken apart."""

    site: str
    gateway: str
    channel: Channel

    def mqtt(self) -> str:
        """Return the topic as MQTT spells it."""
        return f"{ROOT}/{TOPIC_VERSION}/{self.site}/{self.gateway}/{self.channel.value}"

    def subject(self) -> str:
        """Return the topic as NATS spells it (levels separated by dots)."""
        return self.mqtt().replace("/", ".")


def topic(site: str, gateway: str, channel: Channel) -> Topic:
    """Make a topic from checked ids.

    Raises:
        PeerError: an id does not follow its grammar (reason ``bad_id``).
    """
    return Topic(site=parse_id("site", site), gateway=parse_id("gateway", gateway), channel=channel)


def parse_topic(text: str) -> Topic:
    """Take an MQTT topic or NATS subject apart.

    Raises:
        PeerError: it is none of the five topics of this version (reason ``bad_topic``).
    """
    levels = text.replace(".", "/").split("/")
    if len(levels) == _LEVELS and levels[0] == ROOT and levels[1] == TOPIC_VERSION:
        site, gateway, tail = levels[2], levels[3], f"{levels[4]}/{levels[5]}"
        if is_id(site) and is_id(gateway) and tail in _CHANNELS:
            return Topic(site=site, gateway=gateway, channel=Channel(tail))
    raise PeerError("read topic", repr(text[:200]), "not a PortTrack topic", "see contracts.topics", "bad_topic")


def all_gateways(channel: Channel) -> str:
    """Return the NATS subject that matches ``channel`` of every gateway of every site."""
    return f"{ROOT}.{TOPIC_VERSION}.*.*.{channel.value.replace('/', '.')}"


def mqtt_filter(channel: Channel, group: str = "") -> str:
    """Return the MQTT filter that matches ``channel`` of every gateway of every site.

    Args:
        channel: which.
        group: name of a shared subscription (without ``/``, ``+``, ``#``); "" for a subscription of one's own.

    *Source:* MQTT 5.0 clause 4.8.2 (shared subscriptions).
    """
    topics = f"{ROOT}/{TOPIC_VERSION}/+/+/{channel.value}"
    return f"$share/{group}/{topics}" if group else topics
