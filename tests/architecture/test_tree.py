"""The rooms, their sizes and their words, as docs/patterns.md states them."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("contracts", "firmware_configs", "edge_agent", "gateway", "cloud_api", "fleet_deploy")
FIXED = (*PACKAGES[1:], "dashboards", "tests", "pyproject.toml", "README.md", "Makefile", ".ci/run", "contracts")
MAX_LINES = 400
MAX_TEST_LINES = 500
REASONED_LINES = 300
MAX_FUNCTION_LINES = 40
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
DRIVER_FILES = {"__init__.py", "driver.py", "channels.py", "README.md"}
STUB = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")


def tracked(*suffixes: str) -> list[Path]:
    """Files of the checkout that are or would be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout
    paths = [ROOT / line for line in listed.splitlines()]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def product_files() -> list[Path]:
    return [path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in PACKAGES]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


@pytest.mark.parametrize("name", FIXED)
def test_the_fixed_tree_exists(name: str) -> None:
    assert (ROOT / name).exists()


def test_no_file_is_too_long() -> None:
    long = []
    for path in tracked(".py", ".ts"):
        lines = len(path.read_text().splitlines())
        is_test = "tests" in path.relative_to(ROOT).parts
        if lines > (MAX_TEST_LINES if is_test else MAX_LINES):
            long.append(f"{path.relative_to(ROOT)}: {lines}")
    assert not long


def test_a_file_over_300_lines_says_why() -> None:
    silent = []
    for path in product_files():
        text = path.read_text()
        if len(text.splitlines()) > REASONED_LINES and "One file because" not in text[:2000]:
            silent.append(str(path.relative_to(ROOT)))
    assert not silent, "say 'One file because …' in the module docstring, or split"


def test_functions_are_short() -> None:
    long = []
    for path in product_files():
        name = path.relative_to(ROOT)
        nodes = functions(ast.parse(path.read_text()))
        long += [f"{name}:{node.name}: {code_lines(node)}" for node in nodes if code_lines(node) > MAX_FUNCTION_LINES]
    assert not long


def test_modules_are_nouns_of_the_field() -> None:
    bad = [str(path.relative_to(ROOT)) for path in product_files() if path.stem in FORBIDDEN_NAMES]
    assert not bad


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in product_files()
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert not silent


def test_nothing_is_left_as_a_stub() -> None:
    stubs = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked(".py", ".ts")
        if path != Path(__file__) and (match := STUB.search(path.read_text()))
    ]
    assert not stubs


def test_every_driver_folder_has_the_same_files() -> None:
    folders = [path for path in (ROOT / "edge_agent" / "drivers").iterdir() if (path / "driver.py").exists()]
    assert len(folders) >= 3
    for folder in folders:
        assert {entry.name for entry in folder.iterdir()} >= DRIVER_FILES, folder.name


def test_no_lock_names_a_registry() -> None:
    address = re.compile(r"https?://|--index-url|--extra-index-url|\"resolved\"")
    locks = [*(ROOT / "locks").glob("*.txt"), ROOT / "dashboards/control_room/package-lock.json"]
    bad = []
    for path in locks:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            # funding links of npm packages are not registries
            if address.search(line) and '"url":' not in line:
                bad.append(f"{path.name}:{number}: {line.strip()[:100]}")
    assert not bad


def test_python_locks_are_hashed() -> None:
    for path in (ROOT / "locks").glob("*.txt"):
        text = path.read_text()
        assert text.count("==") <= text.count("--hash=sha256:"), path.name


def test_no_path_of_a_machine_and_no_secret_is_committed() -> None:
    # spelled in pieces so that this file does not find itself
    pattern = re.compile(
        "|".join(["/wo" + "rk/", "/ho" + "me/[a-z]+/", "BEGIN [A-Z ]*PRIV" + "ATE KEY", "/ro" + "ot/"])
    )
    suffixes = {".py", ".ts", ".md", ".toml", ".yaml", ".json", ".conf", ".txt", ".geojson", ".html", ".css", ""}
    bad = []
    for path in tracked():
        if path.suffix in suffixes and path.stat().st_size < 2_000_000:
            match = pattern.search(path.read_text(errors="replace"))
            if match:
                bad.append(f"{path.relative_to(ROOT)}: {match.group()}")
    assert not bad
