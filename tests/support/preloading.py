"""Libraries in C that tests load into processes of the product by LD_PRELOAD; compiled when their source is newer."""

import subprocess
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build" / "preload"
COMPILE_TIMEOUT_S = 60


def build_library(source: Path) -> Path:
    """Compile a library; returns its path.

    Raises:
        subprocess.CalledProcessError: it does not compile without a warning.
    """
    library = BUILD / f"{source.stem}.so"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{id(library):x}")
        command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(fresh), str(source)]
        subprocess.run([*command, "-ldl", "-lpthread"], check=True, timeout=COMPILE_TIMEOUT_S)
        fresh.replace(library)
    return library
