"""Reads profiles as files: which sources a gateway has, and where each stands. Knows no models of another room."""

from pathlib import Path
from typing import Any

import yaml

from contracts.errors import ConfigError


def read_mapping(path: Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        ConfigError: missing, unreadable, not YAML or not a mapping.
    """
    try:
        content = yaml.safe_load(path.read_bytes())
    except OSError as exc:
        raise ConfigError("read profile", str(path), exc.strerror or str(exc), "", "unreadable") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ConfigError("read profile", str(path), f"not YAML: {exc}", "", "not_yaml") from exc
    if not isinstance(content, dict):
        raise ConfigError("read profile", str(path), "not a mapping of keys", "", "not_yaml")
    return content


def places_of(device: dict[str, Any], hardware: dict[str, Any]) -> dict[str, str | None]:
    """Return the place that each source of a gateway observes, by source id; None where it has none.

    Args:
        device: the gateway's profile, whose word goes before the hardware's.
        hardware: its hardware profile.
    """
    changes = device.get("sources", {})
    return {
        source["source"]: changes.get(source["source"], {}).get("place", source.get("place"))
        for source in hardware.get("sources", [])
    }
