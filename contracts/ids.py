"""Identifiers and their grammar.

Site, gateway, source and place ids are ``[a-z0-9-]{1,40}``: safe as MQTT topic levels, NATS tokens, file names and
metric labels. A stream id is ``{site}.{gateway}.{store}.{class}``, where ``store`` names one outbox database for its
whole life, so that a new database never continues the numbers of an old one.
"""

import re
from typing import NewType

from contracts.errors import PeerError

SiteId = NewType("SiteId", str)
GatewayId = NewType("GatewayId", str)
SourceId = NewType("SourceId", str)
StreamId = NewType("StreamId", str)

ID_PATTERN = r"^[a-z0-9-]{1,40}$"
STORE_PATTERN = r"^[a-z0-9]{8,32}$"
_ID = re.compile(ID_PATTERN)
_STORE = re.compile(STORE_PATTERN)
_STREAM_PARTS = 4


def is_id(text: str) -> bool:
    """Tell whether ``text`` is a legal site, gateway, source or place id."""
    return _ID.match(text) is not None and not text.endswith("\n")


def parse_id(kind: str, text: str) -> str:
    """Return ``text`` if it is a legal id.

    Args:
        kind: what is parsed, for the message ("site", "gateway", "source", "place").
        text: the candidate.

    Raises:
        PeerError: it is not ``[a-z0-9-]{1,40}`` (reason ``bad_id``).
    """
    if not is_id(text):
        raise PeerError(f"read {kind} id", repr(text[:60]), "not an id", "use 1 to 40 of a-z 0-9 -", "bad_id")
    return text


def make_stream_id(site: str, gateway: str, store: str, record_class: str) -> StreamId:
    """Compose the id of one stream.

    Args:
        site: site id.
        gateway: gateway id.
        store: id of the outbox database, 8 to 32 of ``a-z0-9``.
        record_class: class of the records (see ``contracts.records.RecordClass``).

    Raises:
        PeerError: a part does not follow its grammar (reason ``bad_id``).
    """
    parse_id("site", site)
    parse_id("gateway", gateway)
    if _STORE.match(store) is None:
        raise PeerError("make stream id", repr(store[:60]), "not a store id", "use 8 to 32 of a-z 0-9", "bad_id")
    return StreamId(f"{site}.{gateway}.{store}.{record_class}")


def split_stream_id(stream_id: str) -> tuple[str, str, str, str]:
    """Return (site, gateway, store, class) of a stream id.

    Raises:
        PeerError: it is not four parts of the right grammar (reason ``bad_id``).
    """
    parts = stream_id.split(".")
    if len(parts) != _STREAM_PARTS or not is_id(parts[0]) or not is_id(parts[1]) or _STORE.match(parts[2]) is None:
        raise PeerError(
            "read stream id", repr(stream_id[:120]), "not a stream id", "expected site.gateway.store.class", "bad_id"
        )
    return parts[0], parts[1], parts[2], parts[3]
