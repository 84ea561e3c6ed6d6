"""Reads what ``edge_agent simulate --out`` wrote: how to reach each simulated instrument. Sans-io."""

import json
from typing import Any

Link = dict[str, Any]


def read_links(text: bytes) -> dict[str, Link] | None:
    """Return the link of every simulated instrument by its name, or None where the file is not (yet) one of those."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    found = {name: link for name, link in content.items() if isinstance(link, dict) and "kind" in link}
    return found or None


def links_of(places: dict[str, str | None], links: dict[str, Link]) -> dict[str, Link]:
    """Return the simulated link of each source of one gateway.

    An instrument is named by its source where a port has one of it (``ais``, ``wind``), by its place where it has
    several (``sts-1``).

    Args:
        places: place of every source of the gateway, by source id; None where it has none.
        links: as ``read_links`` gives them.
    """
    found = {}
    for source, place in places.items():
        link = links.get(source) or links.get(place or "")
        if link is not None:
            found[source] = link
    return found
