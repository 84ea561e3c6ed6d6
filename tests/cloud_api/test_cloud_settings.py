"""Strict settings: what is wrong is named with its file, key and allowed values."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from cloud_api.settings import demand_sqlite_history, load_settings
from contracts.errors import ConfigError

EMBEDDED = Path(__file__).parent.parent.parent / "config" / "embedded.toml"
GOOD = """
[bus]
servers = ["tls://broker:4222"]
certificate = "c.crt"
private_key = "c.key"
trust = "trust.pem"
[history]
path = "data/history.sqlite"
[operations]
url = "sqlite+aiosqlite:///data/operations.sqlite"
[site]
chart = "chart.geojson"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(GOOD)
    return path


def test_the_documented_example_is_good() -> None:
    settings = load_settings(EMBEDDED)
    assert settings.http.port == 8080
    assert settings.site.chart.is_file()


def test_relative_paths_are_meant_from_the_file_s_folder(file: Path) -> None:
    settings = load_settings(file)
    assert demand_sqlite_history(settings, "look").path == file.parent / "data/history.sqlite"
    assert settings.operations.url == f"sqlite+aiosqlite:///{file.parent}/data/operations.sqlite"
    assert settings.bus.trust == file.parent / "trust.pem"


def test_absolute_paths_stay(file: Path) -> None:
    file.write_text(GOOD.replace("data/", "/srv/porttrack/"))
    settings = load_settings(file)
    assert settings.operations.url == "sqlite+aiosqlite:////srv/porttrack/operations.sqlite"
    assert demand_sqlite_history(settings, "look").path == Path("/srv/porttrack/history.sqlite")


def test_the_environment_overrides_single_keys(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTTRACK__HTTP__PORT", "9999")
    monkeypatch.setenv("PORTTRACK__BUS__NAME", "cloud-2")
    settings = load_settings(file)
    assert settings.http.port == 9999
    assert (settings.bus.name, settings.bus.servers) == ("cloud-2", ["tls://broker:4222"])


def test_settings_do_not_change(file: Path) -> None:
    settings = load_settings(file)
    with pytest.raises(ValidationError):
        settings.http.port = 1  # type: ignore[misc] # the point of the test


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[bus]", "[bos]", ["bos: unknown key; allowed: bus, control_room, history", "bus: missing"]),
        ("trust =", "thrust =", ["bus.thrust: unknown key; allowed: certificate, kind, name", "bus.trust: missing"]),
        ("tls://broker:4222", "nats://broker:4222", ["bus.servers.0", "nats://broker:4222", "tls://"]),
        ("sqlite+aiosqlite", "mysql", ["operations.url", "postgresql\\+asyncpg"]),
        ('["tls://broker:4222"]', "[]", ["bus.servers", "at least 1"]),
    ],
)
def test_a_wrong_key_or_value_is_named(file: Path, before: str, after: str, words: list[str]) -> None:
    file.write_text(GOOD.replace(before, after))
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert caught.value.subject == str(file)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_file_and_a_file_that_is_not_toml_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        load_settings(tmp_path / "none.toml")
    assert missing.value.reason == "missing"
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff[")
    with pytest.raises(ConfigError) as caught:
        load_settings(bad)
    assert caught.value.reason == "not_toml"
