"""Reads profiles from disk and resolves them into one effective config.

Order of precedence, later wins: model defaults, hardware profile, device profile. Errors name the file, the path in
it and what would be allowed there.
"""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from contracts.errors import ConfigError
from firmware_configs.device import DeviceProfile, EffectiveConfig
from firmware_configs.explain import explain
from firmware_configs.hardware_profile import HardwareProfile
from firmware_configs.registers import RegisterMap
from firmware_configs.site import SiteProfile

PROFILES_DIR = Path(__file__).parent
MAX_PROFILE_BYTES = 1024 * 1024
"""Longest profile file: a hundred times the largest of ours; anything bigger is the wrong file."""

Model = TypeVar("Model", bound=BaseModel)


def load_device(path: Path, profiles_dir: Path = PROFILES_DIR) -> EffectiveConfig:
    """Read a device profile and resolve it.

    Args:
        path: the device's YAML file.
        profiles_dir: folder with ``hardware`` and ``sites``.

    Raises:
        ConfigError: a file is missing, unreadable or not valid; the text lists file, path and allowed values.
    """
    device = read_profile(path, DeviceProfile)
    load_site(device.site, profiles_dir)
    hardware_path = profile_path(profiles_dir / "hardware", device.hardware, path, "hardware")
    raw = read_yaml(hardware_path)
    sources = _merge_sources(path, hardware_path, raw, device)
    values = {name: getattr(device, name) for name in EffectiveConfig.model_fields if name != "sources"}
    # relative paths in a device file are meant from that file's folder
    base = path.resolve().parent
    values["data_dir"] = base / device.data_dir
    values["identity"] = {name: base / value for name, value in device.identity.model_dump().items()}
    resolved = [_resolve_registers(source, profiles_dir, hardware_path) for source in sources]
    return _validate(EffectiveConfig, values | {"sources": resolved}, path)


def load_site(site: str, profiles_dir: Path = PROFILES_DIR) -> SiteProfile:
    """Read a site profile by id.

    Raises:
        ConfigError: as ``load_device``.
    """
    folder = profiles_dir / "sites"
    path = folder / site / "site.yaml"
    if not path.is_file():
        known = sorted(entry.parent.name for entry in folder.glob("*/site.yaml"))
        raise ConfigError("load site", str(path), "no such site", f"allowed: {', '.join(known) or 'none'}", "missing")
    return read_profile(path, SiteProfile)


def profile_path(folder: Path, name: str, referrer: Path, key: str) -> Path:
    """Return the file of a profile that ``key`` of ``referrer`` names.

    Raises:
        ConfigError: there is none; the hint lists those that exist.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = sorted(entry.stem for entry in folder.glob("*.yaml"))
        cause = f"{key}: no profile {name!r} in {folder}"
        raise ConfigError("load profile", str(referrer), cause, f"allowed: {', '.join(known) or 'none'}", "missing")
    return path


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        ConfigError: missing, unreadable, over ``MAX_PROFILE_BYTES``, not YAML or not a mapping.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PROFILE_BYTES + 1)
    except OSError as exc:
        raise ConfigError("read profile", str(path), exc.strerror or str(exc), "check the path", "unreadable") from exc
    if len(data) > MAX_PROFILE_BYTES:
        raise ConfigError("read profile", str(path), f"over {MAX_PROFILE_BYTES} bytes", "not a profile?", "too_large")
    try:
        content = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ConfigError("read profile", str(path), f"not YAML: {exc}", "", "not_yaml") from exc
    if not isinstance(content, dict):
        raise ConfigError("read profile", str(path), "not a mapping of keys", "", "not_yaml")
    return content


def read_profile(path: Path, model: type[Model]) -> Model:
    """Read and validate one profile.

    Raises:
        ConfigError: as ``read_yaml``, or a key or value is not allowed.
    """
    return _validate(model, read_yaml(path), path)


def _validate(model: type[Model], values: dict[str, Any], path: Path) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        raise ConfigError("check profile", str(path), explain(exc, model), "correct the file", "invalid") from exc


def _merge_sources(
    path: Path, hardware_path: Path, raw: dict[str, Any], device: DeviceProfile
) -> list[dict[str, Any]]:
    profile = _validate(HardwareProfile, raw, hardware_path)
    known = [source.source for source in profile.sources]
    for name in device.sources:
        if name not in known:
            cause = f"sources.{name}: {hardware_path.name} has no such source"
            raise ConfigError("check profile", str(path), cause, f"allowed: {', '.join(known)}", "invalid")
    merged = []
    for source in raw["sources"]:
        change = device.sources.get(source["source"], {})
        merged.append({**source, **change})
    _validate(HardwareProfile, raw | {"sources": merged}, path)
    return merged


def _resolve_registers(source: dict[str, Any], profiles_dir: Path, referrer: Path) -> dict[str, Any]:
    name = source.get("registers")
    if not isinstance(name, str):
        return source
    file = profile_path(profiles_dir / "hardware" / "registers", name, referrer, f"{source['source']}.registers")
    return {**source, "registers": read_profile(file, RegisterMap)}
