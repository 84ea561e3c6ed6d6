"""Debian packages that the system tests need: installed where this may be done, named where it may not.

With ``CI=true`` a missing one fails the run; elsewhere only the tests that need it are skipped, each with the reason.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

APT_TIMEOUT_S = 900
POSTGRES = Path("/usr/lib/postgresql/15/bin/postgres")
CHROMIUM = Path("/usr/bin/chromium")
GCC = Path("/usr/bin/gcc")


@dataclass(frozen=True)
class Prerequisite:
    """A file that a Debian package brings, and what goes untested without it."""

    file: Path
    package: str
    purpose: str


PREREQUISITES = (
    Prerequisite(GCC, "gcc", "the recorder of power cuts, which is compiled when its test runs"),
    Prerequisite(Path("/usr/include/stdio.h"), "libc6-dev", "the same"),
    Prerequisite(CHROMIUM, "chromium", "the control room in a real browser"),
    Prerequisite(Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"), "fonts-dejavu-core", "its text"),
    Prerequisite(Path("/usr/bin/gpsdecode"), "gpsd-clients", "AIS decoding against gpsd's"),
    Prerequisite(
        Path("/usr/sbin/mosquitto"),
        "mosquitto",
        "swallowed acknowledgements over MQTT 3.1.1 and 5, and the bus over MQTT 5",
    ),
    Prerequisite(Path("/usr/bin/influxd"), "influxdb", "the history in an InfluxDB 1.6"),
    Prerequisite(
        Path("/usr/bin/victoria-metrics"), "victoria-metrics", "the history's write path to a VictoriaMetrics"
    ),
    Prerequisite(POSTGRES, "postgresql-15", "the operations database on PostgreSQL"),
)


def missing() -> list[Prerequisite]:
    """Return what is not on this machine."""
    return [item for item in PREREQUISITES if not item.file.exists()]


def is_left_out(package: str) -> bool:
    """Tell whether tests that need a package are left out here: it is missing, and this is not CI, where they fail."""
    return os.environ.get("CI") != "true" and any(item.package == package for item in missing())


def may_install() -> bool:
    """Tell whether packages can be installed here: root on a Debian."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(items: list[Prerequisite]) -> None:
    """Install packages; a failure is shown and leaves them missing."""
    packages = [item.package for item in items]
    sys.stdout.write(f"installing {', '.join(packages)}\n")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        done = subprocess.run(
            command, env=environment, check=False, timeout=APT_TIMEOUT_S, capture_output=True, text=True
        )
        if done.returncode != 0:
            sys.stderr.write(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}\n")


def main() -> int:
    """Install what can be installed; returns 1 where something is missing under CI."""
    items = missing()
    if items and may_install():
        install(items)
        items = missing()
    for item in items:
        sys.stdout.write(f"missing {item.file} (Debian package {item.package}): not tested: {item.purpose}\n")
    return 1 if items and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
