"""Who may say and hear what on a Mosquitto, in the form of its dynamic security plugin. Sans-io.

The plugin and not an ``acl_file``: Mosquitto 2.0 grants every subscription to whoever an acl_file names and looks at
rights only when it delivers. A gateway could so become a member of ``$share/store/…``, and the messages that fell to it
would reach nobody (seen; docs/adr/0140). The plugin refuses the subscription itself.

A user is the whole subject of a certificate (``use_subject_as_username``): the common name alone is only the gateway's
id, and two sites may both have a ``gw-1``. Which of a subject's certificates is good is told by the revocation list.
"""

import json
from collections.abc import Iterable

from contracts.topics import Channel, mqtt_filter, topic
from fleet_deploy.ca.models import Entry, Kind, Registry
from fleet_deploy.ca.requests import LeafPlan

Acl = dict[str, object]
_UP = [channel for channel in Channel if channel.value.startswith("up/")]
_DOWN = [channel for channel in Channel if channel.value.startswith("down/")]


def access(registry: Registry) -> tuple[str, int]:
    """Return the plugin's file, JSON, and how many users it knows.

    Args:
        registry: all that was issued; servers, nodes and the revoked are no users.
    """
    clients: dict[str, Entry] = {}
    for entry in registry.active():
        if entry.kind in (Kind.GATEWAY, Kind.CLOUD):
            clients.setdefault(subject(entry), entry)
    roles = {name: _acls(entry) for name, entry in clients.items()}
    content = {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [{"username": name, "roles": [{"rolename": name}]} for name in roles],
        "groups": [],
        "roles": [{"rolename": name, "acls": acls} for name, acls in roles.items()],
    }
    return json.dumps(content, indent=1) + "\n", len(clients)


def subject(entry: Entry) -> str:
    """Return a client certificate's subject as Mosquitto spells it.

    *Source:* RFC 2253, clause 2.1 (most specific first); no id of ours holds a character that it would escape.
    """
    request = LeafPlan(entry.kind, entry.site, entry.gateway).request(entry.serial)
    return f"CN={request.common_name},O={request.organisation}"


def _acls(entry: Entry) -> list[Acl]:
    if entry.site is not None and entry.gateway is not None:
        said = [topic(entry.site, entry.gateway, channel).mqtt() for channel in _UP]
        heard = [topic(entry.site, entry.gateway, channel).mqtt() for channel in _DOWN]
        return [*_allow("publishClientSend", said), *_listening(heard)]
    said = [mqtt_filter(channel) for channel in _DOWN]
    heard = [mqtt_filter(channel) for channel in _UP]
    shared = [mqtt_filter(channel, "+") for channel in _UP]
    return [*_allow("publishClientSend", said), *_listening(heard), *_allow("subscribePattern", shared)]


def _listening(topics: list[str]) -> list[Acl]:
    return [*_allow("publishClientReceive", topics), *_allow("subscribePattern", topics)]


def _allow(kind: str, topics: Iterable[str]) -> list[Acl]:
    return [{"acltype": kind, "topic": name, "priority": 0, "allow": True} for name in topics]
