"""The reference and the profiles that are shipped say what the program reads."""

import re
import tomllib
from pathlib import Path

import pytest

from cloud_api.settings import Settings, load_settings
from cloud_api.settings_reference import keys, reference

ROOT = Path(__file__).parent.parent.parent
PROFILES = {
    "embedded": ("nats", "sqlite", "sqlite"),
    "single_host": ("nats", "influxdb", "postgresql"),
    "cluster": ("nats", "influxdb", "postgresql"),
}
KEY = re.compile(r"^(\w+) = ")


def test_the_document_holds_the_reference_that_the_program_writes() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    assert text.endswith(reference(Settings)), "write it anew: python -m cloud_api settings"


def test_every_key_is_described() -> None:
    rows = [line for line in reference(Settings).splitlines() if line.startswith("| `")]
    assert all(re.search(r" \| \S[^|]*\.? \|$", row.replace("\\|", "")) for row in rows)
    described = {row.split("`")[1] for row in rows}
    assert {key.split(".")[1] for key in keys(Settings)} == described


@pytest.mark.parametrize("name", PROFILES)
def test_a_shipped_profile_is_good_and_of_its_kind(name: str) -> None:
    settings = load_settings(ROOT / f"config/{name}.toml")
    database = "sqlite" if settings.operations.sqlite_path else "postgresql"
    assert (settings.bus.kind, settings.history.kind, database) == PROFILES[name]
    assert settings.http.host == settings.probes.host == "127.0.0.1"
    assert settings.site.chart.is_file()


@pytest.mark.parametrize("name", PROFILES)
def test_a_shipped_profile_shows_every_key_of_its_kinds(name: str) -> None:
    text = (ROOT / f"config/{name}.toml").read_text()
    shown = {f"{section}.{key}" for section, values in tomllib.loads(text).items() for key in values}
    settings = load_settings(ROOT / f"config/{name}.toml")
    there_are = {
        f"{section}.{key}" for section in Settings.model_fields for key in type(getattr(settings, section)).model_fields
    }
    # what only another server needs
    absent = there_are - shown - {"operations.password_file", "operations.trust", "history.trust"}
    if settings.operations.sqlite_path:
        absent -= {"operations.pool_size", "operations.statement_timeout_s"}
    assert absent == set()


@pytest.mark.parametrize("name", PROFILES)
def test_a_shipped_profile_says_how_it_is_started(name: str) -> None:
    text = (ROOT / f"config/{name}.toml").read_text()
    assert f"check-config --config config/{name}.toml" in text
    assert "docs/settings.md" in text
