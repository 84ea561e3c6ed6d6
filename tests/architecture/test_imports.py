"""Who may know whom: the import contracts, the sans-io rooms, and modules that stand alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_tree import PACKAGES, ROOT, product_files

IO_MODULES = {"asyncio", "socket", "serial", "sqlite3", "time", "threading", "logging", "structlog", "paho", "nats"}
SANS_IO_FOLDERS = ("contracts", "edge_agent/parsers")
SANS_IO_STEMS = ("policy", "states")
LIBRARIES = (
    "aiohttp.web",
    "alembic",
    "cryptography.x509",
    "influxdb_client.client.influxdb_client_async",
    "msgspec",
    "nats",
    "paho.mqtt.client",
    "prometheus_client",
    "pyais",
    "pydantic_settings",
    "pymodbus.client",
    "serial",
    "sqlalchemy.ext.asyncio",
    "structlog",
    "typer",
    "yaml",
)
LOADER = """
import importlib, os, sys
for name in LIBRARIES:
    importlib.import_module(name)
assert not set(sys.modules) & {"contracts", "cloud_api", "gateway", "edge_agent"}
failed = []
for name in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        try:
            importlib.import_module(name)
        except BaseException as exc:
            print(name, repr(exc), flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        failed.append(name)
sys.exit(bool(failed))
"""
DEVICE_FORBIDDEN = {"numpy", "scipy", "sqlalchemy", "aiohttp", "nats", "alembic", "influxdb_client", "twisted"}


def module_name(path: Path) -> str:
    relative = path.relative_to(ROOT).with_suffix("")
    parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
    return ".".join(parts)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def is_sans_io(path: Path) -> bool:
    relative = path.relative_to(ROOT).as_posix()
    stem = path.stem
    return relative.startswith(tuple(f"{folder}/" for folder in SANS_IO_FOLDERS)) or stem.endswith(SANS_IO_STEMS)


def test_parsers_policies_and_contracts_do_no_io() -> None:
    guilty = []
    for path in product_files():
        if is_sans_io(path):
            found = {name.split(".")[0] for name in imported(path)} & IO_MODULES
            if found:
                guilty.append(f"{path.relative_to(ROOT)}: {', '.join(sorted(found))}")
    assert not guilty


def test_the_sans_io_rule_finds_what_breaks_it(tmp_path: Path) -> None:
    """Mutation proof: the same scan sees an import that the rule forbids."""
    file = tmp_path / "policy.py"
    file.write_text("from asyncio import sleep\n")
    assert {name.split(".")[0] for name in imported(file)} & IO_MODULES == {"asyncio"}


def test_rooms_know_each_other_downwards_only() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
                          env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_device_never_loads_the_cloud_s_libraries() -> None:
    guilty = []
    for path in product_files():
        if path.relative_to(ROOT).parts[0] in ("contracts", "firmware_configs", "edge_agent", "gateway"):
            found = {name.split(".")[0] for name in imported(path)} & DEVICE_FORBIDDEN
            if found:
                guilty.append(f"{path.relative_to(ROOT)}: {', '.join(sorted(found))}")
    assert not guilty


@pytest.mark.system
def test_every_module_can_be_imported_alone() -> None:
    """One process a module: an import cycle shows only for some first imports.

    Each is forked from an interpreter that has loaded the libraries and nothing of ours, which is ten times faster than
    a new interpreter each and the same to an import of ours.
    """
    names = [module_name(path) for path in product_files() if "versions" not in path.parts and path.name != "env.py"]
    names = [name for name in names if not name.endswith("__main__")]
    assert len(names) > len(PACKAGES)
    script = LOADER.replace("LIBRARIES", repr(LIBRARIES))
    done = subprocess.run([sys.executable, "-c", script, *names], cwd=ROOT, capture_output=True, text=True, timeout=600,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout


ONLY_LOCKED = """
import sys
from importlib.metadata import packages_distributions
locked = set(sys.argv[1].split(","))
refused = {top for top, names in packages_distributions().items()
           if not any(name.lower().replace("_", "-").replace(".", "-") in locked for name in names)}
class Refuser:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not in the lock", name=name)
sys.meta_path.insert(0, Refuser())
import importlib
for name in sys.argv[2:]:
    importlib.import_module(name)
"""


def locked_names(lock: str) -> str:
    lines = (ROOT / "locks" / lock).read_text().splitlines()
    return ",".join(line.split("==")[0].split("[")[0].lower() for line in lines if "==" in line and line[0] != " ")


def import_with_lock(lock: str, packages: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    paths = [path for path in product_files() if path.relative_to(ROOT).parts[0] in packages]
    names = [module_name(path) for path in paths if "versions" not in path.parts and path.name != "env.py"]
    command = [
        sys.executable,
        "-c",
        ONLY_LOCKED,
        locked_names(lock),
        *[name for name in names if name[-8:] != "__main__"],
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.system
def test_the_device_s_lock_is_all_that_the_device_needs() -> None:
    done = import_with_lock("device.txt", ("contracts", "firmware_configs", "edge_agent", "gateway"))
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.system
def test_the_run_lock_is_all_that_make_run_needs() -> None:
    done = import_with_lock("run.txt", PACKAGES)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.system
def test_a_lock_that_lacks_something_is_noticed() -> None:
    """Mutation proof: the cloud does not load with what a device has."""
    assert "is not in the lock" in import_with_lock("device.txt", ("cloud_api",)).stderr
