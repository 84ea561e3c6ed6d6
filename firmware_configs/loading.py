"""Reads profiles from disk and resolves them into one effective config.

Order of precedence, later wins: model defaults, hardware profile, device profile. A device's change to a source
replaces single keys. Its ``link`` is merged key by key while it is the same kind of link (so that a device says only
the host that is its own), and replaced as a whole when it names another kind, whose keys mean something else.
Errors name the file, the path in it and what would be allowed there.
"""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts.errors import ConfigError
from contracts.ids import is_id
from firmware_configs.device import DeviceProfile, EffectiveConfig
from firmware_configs.explain import explain
from firmware_configs.hardware_profile import HardwareProfile, Source
from firmware_configs.registers import RegisterMap
from firmware_configs.site import SiteProfile
from firmware_configs.site_limits import with_site_limits
from firmware_configs.yaml_text import parse_yaml

PROFILES_DIR = Path(__file__).parent
MAX_PROFILE_BYTES = 1024 * 1024
"""Longest profile file: a hundred times the largest of ours; anything bigger is the wrong file."""

Model = TypeVar("Model", bound=BaseModel)
_SOURCE: TypeAdapter[Any] = TypeAdapter(Source)


def load_device(path: Path, profiles_dir: Path = PROFILES_DIR) -> EffectiveConfig:
    """Read a device profile and resolve it.

    Args:
        path: the device's YAML file.
        profiles_dir: folder with ``hardware`` and ``sites``.

    Raises:
        ConfigError: a file is missing, unreadable or not valid; the text lists file, path and allowed values.
    """
    device = read_profile(path, DeviceProfile)
    profile_path(profiles_dir / "sites", device.site, path, "site")
    site = load_site(device.site, profiles_dir)
    hardware_path = profile_path(profiles_dir / "hardware", device.hardware, path, "hardware")
    hardware = read_yaml(hardware_path)
    profile = _validate(HardwareProfile, hardware, hardware_path)
    if profile.profile != device.hardware:
        cause = f"profile: {profile.profile!r} differs from the name of the file"
        raise ConfigError("check profile", str(hardware_path), cause, f"allowed: {device.hardware}", "invalid")
    sources = _merge_sources(path, hardware_path, hardware["sources"], device)
    resolved = [
        _resolve_registers(source, profiles_dir, path if source["source"] in device.sources else hardware_path)
        for source in sources
    ]
    values = {name: getattr(device, name) for name in EffectiveConfig.model_fields if name != "sources"}
    # relative paths in a device file are meant from that file's folder
    base = path.resolve().parent
    values["data_dir"] = base / device.data_dir
    values["run_dir"] = base / (device.run_dir or device.data_dir / "run")
    values["identity"] = {name: base / value for name, value in device.identity.model_dump().items()}
    config = _validate(EffectiveConfig, values | {"sources": resolved}, path)
    return config.model_copy(update={"sources": [with_site_limits(source, site) for source in config.sources]})


def load_site(site: str, profiles_dir: Path = PROFILES_DIR) -> SiteProfile:
    """Read a site profile by id.

    Raises:
        ConfigError: as ``load_device``.
    """
    path = site_path(site, profiles_dir)
    profile = read_profile(path, SiteProfile)
    if profile.site != site:
        cause = f"site: {profile.site!r} differs from the name of the folder"
        raise ConfigError("check profile", str(path), cause, f"allowed: {site}", "invalid")
    return profile


def site_path(site: str, profiles_dir: Path = PROFILES_DIR) -> Path:
    """Return the file of a site profile.

    Raises:
        ConfigError: there is none; the hint lists those that exist.
    """
    folder = profiles_dir / "sites"
    path = folder / site / "site.yaml"
    if not is_id(site) or not path.is_file():
        known = sorted(entry.parent.name for entry in folder.glob("*/site.yaml"))
        raise ConfigError("load site", str(path), "no such site", f"allowed: {', '.join(known) or 'none'}", "missing")
    return path


def profile_path(folder: Path, name: str, referrer: Path, key: str) -> Path:
    """Return the file of a profile that ``key`` of ``referrer`` names: ``NAME.yaml``, or ``NAME/site.yaml`` of a site.

    Raises:
        ConfigError: there is none; the hint lists those that exist.
    """
    is_site = key == "site"
    path = folder / name / "site.yaml" if is_site else folder / f"{name}.yaml"
    # a name that is no id could point out of the folder
    if not is_id(name) or not path.is_file():
        entries = folder.glob("*/site.yaml" if is_site else "*.yaml")
        known = sorted(entry.parent.name if is_site else entry.stem for entry in entries)
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
        return parse_yaml(data)
    except ValueError as exc:
        raise ConfigError("read profile", str(path), f"not a profile: {exc}", "", "not_yaml") from exc


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
        raise ConfigError("check profile", str(path), explain(exc, model), "", "invalid") from exc


def _merge_sources(
    path: Path, hardware_path: Path, sources: list[dict[str, Any]], device: DeviceProfile
) -> list[dict[str, Any]]:
    known = [source["source"] for source in sources]
    for name in device.sources:
        if name not in known:
            cause = f"sources.{name}: {hardware_path.name} has no such source"
            raise ConfigError("check profile", str(path), cause, f"allowed: {', '.join(known)}", "invalid")
    return [_merge_source(source, device.sources.get(source["source"]), path) for source in sources]


def _merge_source(source: dict[str, Any], change: dict[str, Any] | None, path: Path) -> dict[str, Any]:
    if change is None:
        return source
    prefix = f"sources.{source['source']}"
    for fixed in ("source", "driver"):
        if change.get(fixed, source[fixed]) != source[fixed]:
            cause = f"{prefix}.{fixed}: belongs to the hardware profile"
            raise ConfigError("check profile", str(path), cause, f"allowed: {source[fixed]}", "invalid")
    merged = {**source, **change}
    link = change.get("link")
    if isinstance(link, dict) and link.get("kind", source["link"]["kind"]) == source["link"]["kind"]:
        merged["link"] = {**source["link"], **link}
    try:
        _SOURCE.validate_python(merged)
    except ValidationError as exc:
        raise ConfigError("check profile", str(path), explain(exc, Source, prefix), "", "invalid") from exc
    return merged


def _resolve_registers(source: dict[str, Any], profiles_dir: Path, referrer: Path) -> dict[str, Any]:
    def read(values: dict[str, Any], path: str) -> dict[str, Any]:
        name = values.get("registers")
        if not isinstance(name, str):
            return values
        file = profile_path(profiles_dir / "hardware" / "registers", name, referrer, f"{path}.registers")
        return {**values, "registers": read_profile(file, RegisterMap)}

    prefix = f"sources.{source['source']}"
    resolved = read(source, prefix)
    units = source.get("units")
    if units is None:
        return resolved
    return {**resolved, "units": [read(unit, f"{prefix}.units[{index}]") for index, unit in enumerate(units)]}
