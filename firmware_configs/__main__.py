"""``python -m firmware_configs``: shows what a device is told to be, and what profiles there are.

Exit codes: 0 done, 2 usage or a file that has to be corrected (one line a problem on stderr).
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from contracts.errors import ConfigError
from firmware_configs.explain import problems
from firmware_configs.loading import PROFILES_DIR, load_device, profile_path

EXIT_CONFIG = 2

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Device, site and hardware profiles.")

ProfilesDir = Annotated[Path, typer.Option("--profiles", help="Folder with devices, hardware and sites.")]


@app.command()
def show(
    device: Annotated[str, typer.Argument(help="Id of a file in devices, or the path of a device file.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False,  # noqa: FBT002 - typer's form of a flag
    profiles: ProfilesDir = PROFILES_DIR,
) -> None:
    """Print the effective config of a device: its profile with hardware profile and register maps resolved."""
    try:
        config = load_device(_device_path(device, profiles), profiles)
    except ConfigError as exc:
        for line in problems(exc):
            typer.echo(f"error: {line}", err=True)
        raise typer.Exit(EXIT_CONFIG) from exc
    values = config.model_dump(mode="json", by_alias=True)
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False, indent=2))
    else:
        typer.echo(yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=120), nl=False)


@app.command("list")
def list_profiles(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,  # noqa: FBT002 - typer's form of a flag
    profiles: ProfilesDir = PROFILES_DIR,
) -> None:
    """List the profiles of each kind by id."""
    found = {
        "devices": sorted(path.stem for path in profiles.glob("devices/*.yaml")),
        "hardware": sorted(path.stem for path in profiles.glob("hardware/*.yaml")),
        "registers": sorted(path.stem for path in profiles.glob("hardware/registers/*.yaml")),
        "sites": sorted(path.parent.name for path in profiles.glob("sites/*/site.yaml")),
    }
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for kind, names in found.items():
        typer.echo(f"{kind}:")
        for name in names:
            typer.echo(f"  {name}")


def _device_path(device: str, profiles: Path) -> Path:
    """Return the file that an argument means: a path where it looks like one, else an id."""
    if "/" in device or device.endswith((".yaml", ".yml")):
        return Path(device)
    return profile_path(profiles / "devices", device, profiles / "devices", "device")


if __name__ == "__main__":
    sys.exit(app())
