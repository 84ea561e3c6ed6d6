"""The site's chart, read once and checked for what the control room relies on.

*Source:* docs/chart.md; RFC 7946.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ConfigError

MAX_CHART_BYTES = 16 * 1024 * 1024
"""Largest chart: fifty times that of a large port; bigger is the wrong file."""
FOREIGN_MEMBERS = ("site", "name_es", "name_en", "bounds", "time_zone")
HINT = "see docs/chart.md"


@dataclass(frozen=True)
class SiteChart:
    """A chart as it is served, and the tag of its content."""

    body: bytes
    etag: str


def load_chart(path: Path) -> SiteChart:
    """Read and check a chart.

    Args:
        path: GeoJSON file.

    Raises:
        ConfigError: it cannot be read, is over ``MAX_CHART_BYTES``, or is not a chart.
    """
    try:
        with path.open("rb") as file:
            body = file.read(MAX_CHART_BYTES + 1)
    except OSError as exc:
        cause = exc.strerror or str(exc)
        raise ConfigError("read chart", str(path), cause, "check site.chart", "unreadable") from exc
    if len(body) > MAX_CHART_BYTES:
        raise ConfigError("read chart", str(path), f"over {MAX_CHART_BYTES} bytes", HINT, "too_large")
    try:
        chart = json.loads(body)
    except ValueError as exc:
        raise ConfigError("read chart", str(path), f"not JSON: {exc}", HINT, "not_json") from exc
    fault = _fault(chart)
    if fault:
        raise ConfigError("check chart", str(path), fault, HINT, "invalid")
    return SiteChart(body, hashlib.blake2b(body, digest_size=16).hexdigest())


def _fault(chart: object) -> str:
    """Return what is wrong, or an empty text."""
    if not isinstance(chart, dict) or chart.get("type") != "FeatureCollection":
        return "not a FeatureCollection"
    missing = [name for name in FOREIGN_MEMBERS if name not in chart]
    if missing:
        return f"lacks {', '.join(missing)}"
    features = chart.get("features")
    if not isinstance(features, list):
        return "has no features"
    for number, feature in enumerate(features):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict) or not {"kind", "id"} <= properties.keys():
            return f"features[{number}] has no properties.kind or properties.id"
    return ""
