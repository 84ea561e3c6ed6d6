"""Exit codes and what a person reads: 0 done, 2 usage or settings, one line and a hint, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_deploy.__main__ import COMMANDS, main


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    assert main(["ca", "init", "--dev", "--out", str(tmp_path / "ca")]) == 0
    return tmp_path / "ca"


def test_help_names_every_command_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    code = "import sys; from fleet_deploy.__main__ import main; main(['--help']); print('cryptography' in sys.modules)"
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in COMMANDS)
    assert done.stdout.endswith("False\n")
    assert main([]) == 2
    assert "usage" in capsys.readouterr().out


def test_an_unknown_command_lists_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "one of: ca, broker, demo" in capsys.readouterr().err


def test_an_authority_needs_the_word_dev(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ca", "init", "--out", str(tmp_path / "ca")]) == 2
    assert "add --dev" in capsys.readouterr().err
    assert not (tmp_path / "ca").exists()


def test_an_authority_is_not_overwritten(authority: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ca", "init", "--dev", "--out", str(authority)]) == 2
    error = capsys.readouterr().err
    assert "exists already" in error
    assert error.count("\n") == 1


def test_issue_list_and_revoke(authority: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ca = ["--ca", str(authority)]
    assert main(["ca", "issue", "server", "--name", "broker", "--out", str(tmp_path / "s"), *ca]) == 0
    gateway = ["--site", "puerto", "--gateway", "gw-1", "--out", str(tmp_path / "g")]
    assert main(["ca", "issue", "gateway", *gateway, *ca]) == 0
    assert main(["ca", "issue", "cloud", "--out", str(tmp_path / "c"), *ca]) == 0
    capsys.readouterr()
    assert main(["ca", "list", "--json", *ca]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["kind"] for entry in listed] == ["server", "gateway", "cloud"]
    assert main(["ca", "revoke", listed[1]["serial"], *ca]) == 0
    capsys.readouterr()
    main(["ca", "list", "--json", *ca])
    revoked = [entry.get("revoked_at") is not None for entry in json.loads(capsys.readouterr().out)]
    assert revoked == [False, True, False]


def test_a_list_for_people_shows_whole_serials(
    authority: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ca", "issue", "cloud", "--out", str(tmp_path / "c"), "--ca", str(authority)])
    serial = json.loads((authority / "registry.json").read_text())["certificates"][0]["serial"]
    capsys.readouterr()
    assert main(["ca", "list", "--ca", str(authority)]) == 0
    assert serial in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["ca", "list", "--ca", "nowhere"],
        ["ca", "revoke", "00", "--ca", "nowhere"],
        ["ca", "issue", "gateway", "--site", "A", "--gateway", "b", "--out", "x", "--ca", "nowhere"],
        ["ca", "fly"],
        ["broker", "render", "--ca", "nowhere", "--out", "x.conf", "--data", "x"],
        ["demo"],
        ["demo", "--dir", "x", "--port", "0"],
    ],
)
def test_mistakes_exit_with_2(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2


def test_render_writes_a_configuration_with_its_users(
    authority: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ca", "issue", "cloud", "--out", str(tmp_path / "c"), "--ca", str(authority)])
    files = ["--out", str(tmp_path / "nats.conf"), "--data", str(tmp_path / "data")]
    ports = ["--mqtt-port", "8883", "--client-port", "4222"]
    assert main(["broker", "render", "--ca", str(authority), *files, *ports]) == 0
    assert "1 users" in capsys.readouterr().out
    assert "cloud.porttrack.internal" in (tmp_path / "nats.conf").read_text()
    assert (tmp_path / "data" / "server" / "private_key.pem").stat().st_mode & 0o777 == 0o600
