"""What the composition root hands to the web server."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from prometheus_client import REGISTRY, CollectorRegistry

from cloud_api.accounting.routes import Standings
from cloud_api.archive.ports import HistoryArchive
from cloud_api.live.hub import LiveHub
from cloud_api.live.picture import LivePicture
from cloud_api.site.service import SiteChart
from cloud_api.vessels.ports import HistoryReader
from cloud_api.web.probes import Check, PictureWord, no_picture


class History(HistoryReader, HistoryArchive, Protocol):
    """What the web server asks of a history."""


@dataclass(frozen=True)
class WebParts:
    """Parts of one web server.

    Attributes:
        picture: the live picture that the track role feeds.
        hub: serves the live wire; its ``run`` is kept going by the composition root.
        history: where tracks and series are.
        accounting: the balance of every gateway.
        chart: the site's chart (``cloud_api.site.service.load_chart``).
        checks: what /readyz asks, by name of the part.
        control_room_dir: folder of the built control room; None serves no pages.
        allowed_origins: further origins that may open the live wire (``https://host:port``), beside the server's own.
        registry: where figures are registered and read from.
        utc_ns: this server's clock.
        picture_word: how the picture stands, for the probes.
    """

    picture: LivePicture
    hub: LiveHub
    history: History
    accounting: Standings
    chart: SiteChart
    checks: Mapping[str, Check] = field(default_factory=dict)
    control_room_dir: Path | None = None
    allowed_origins: frozenset[str] = frozenset()
    registry: CollectorRegistry = REGISTRY
    utc_ns: Callable[[], int] = time.time_ns
    picture_word: PictureWord = no_picture
