import json
from pathlib import Path

import pytest

from contracts.errors import ConfigError
from edge_agent.simulation.endpoints import remove_endpoints, write_endpoints

LINKS = {"wind": {"kind": "tcp", "host": "127.0.0.1", "port": 4711}}


def test_the_file_is_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text("old")
    write_endpoints(path, LINKS)
    assert json.loads(path.read_text()) == LINKS
    assert list(tmp_path.iterdir()) == [path]


def test_a_crash_before_the_rename_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text("old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ConfigError, match="No space left"):
        write_endpoints(path, LINKS)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_the_operator_s(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="check --out"):
        write_endpoints(tmp_path / "none" / "endpoints.json", LINKS)


def test_the_file_goes_with_the_hardware(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    write_endpoints(path, LINKS)
    remove_endpoints(path, LINKS)
    remove_endpoints(path, LINKS)
    assert not path.exists()


@pytest.mark.parametrize("content", ['{"wind": {"kind": "tcp", "port": 1}}', "not json"])
def test_the_file_of_another_simulation_stays(tmp_path: Path, content: str) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(content)
    remove_endpoints(path, LINKS)
    assert path.read_text() == content
