"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path, typer.Option("--config", help="settings file (TOML), see config/embedded.toml")]
AsJson = Annotated[bool, typer.Option("--json", help="write JSON lines")]
