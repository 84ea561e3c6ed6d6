"""Who may say and hear what, one broker user a certificate. Sans-io.

``verify_and_map`` makes the first DNS alternative name of a client certificate that is a known user its user name
(seen with nats-server 2.15.1). So a certificate that is revoked, or was never registered, is no user at all.

A gateway may publish to its three topics and not to all that could stand below ``up``: the broker keeps the last
retained message of every topic, and one gateway with 334 topics of 200 kB filled a store of 64 MB, after which no
gateway could connect (docs/adr/0051). It may subscribe to its two, not to all below ``down``: in a cluster every
subscription is known to every node, and one gateway's must not be able to fill them.
"""

from dataclasses import dataclass

from contracts.topics import ROOT, TOPIC_VERSION, Channel, topic
from fleet_deploy.ca.models import Entry, Kind, Registry

INBOX = "_INBOX.>"
"""Where nats-py waits for answers to its own requests."""


@dataclass(frozen=True)
class User:
    """One broker user.

    Attributes:
        name: DNS name of the certificate.
        connection: kind of listener it may come in by: ``MQTT`` or ``STANDARD``.
        publish: subjects it may publish to.
        subscribe: subjects it may subscribe to.
    """

    name: str
    connection: str
    publish: list[str]
    subscribe: list[str]


def users_of(registry: Registry) -> list[User]:
    """Return the users of every client certificate that is not revoked, in the order of issue."""
    return [_user(entry) for entry in registry.active() if entry.kind in (Kind.GATEWAY, Kind.CLOUD)]


def pins_of(registry: Registry) -> list[str]:
    """Return the digests of the keys of every node that is not revoked: between brokers no other key is taken."""
    return [entry.key_digest for entry in registry.active() if entry.kind is Kind.NODE and entry.key_digest]


def _user(entry: Entry) -> User:
    base = f"{ROOT}.{TOPIC_VERSION}"
    if entry.site is not None and entry.gateway is not None:
        subjects = [topic(entry.site, entry.gateway, channel).subject() for channel in Channel]
        publish = [subject for subject in subjects if ".up." in subject]
        return User(entry.names[0], "MQTT", publish, [subject for subject in subjects if ".down." in subject])
    return User(
        entry.names[0],
        "STANDARD",
        publish=[f"{base}.*.*.down.>"],
        subscribe=[f"{base}.*.*.up.>", INBOX],
    )
