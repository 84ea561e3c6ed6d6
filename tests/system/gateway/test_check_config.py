"""``gateway check-config`` finds what would stop a driver, before anything is started."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.driver_process import ROOT, write_profiles

pytestmark = pytest.mark.system

LINK = {"kind": "tcp", "host": "127.0.0.1", "port": 502}
CABINET = ROOT / "firmware_configs" / "hardware" / "registers" / "berth-hooks.yaml"


def check(folder: Path, *sources: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    # each source a copy of its own: YAML would write what is shared as an alias, which profiles refuse
    device = write_profiles(folder, [json.loads(json.dumps(source)) for source in sources])
    command = [sys.executable, "-m", "gateway", "check-config", str(device), "--profiles", str(folder / "profiles")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_maps_that_fit_are_valid(tmp_path: Path) -> None:
    berth = {"source": "hooks", "driver": "berth", "place": "norte-1", "registers": "berth-hooks", "link": LINK}
    done = check(tmp_path, berth, berth | {"source": "tide", "place": "tide-gauge", "registers": "tide-gauge"})
    assert done.returncode == 0, done.stderr
    assert "hooks, tide" in done.stdout


def test_a_map_that_does_not_fit_is_said_with_source_map_and_field(tmp_path: Path) -> None:
    cabinet = yaml.safe_load(CABINET.read_text())
    cabinet["tags"][2]["unit"] = "t"
    hooks = {"source": "hooks", "driver": "berth", "registers": cabinet, "link": LINK}
    crane = {"source": "crane", "driver": "quay_crane", "registers": "berth-hooks", "link": LINK}
    done = check(tmp_path, hooks, crane)
    assert done.returncode == 2
    assert "berth-hooks: hook_tension_kn[2]: unit t, must be kN" in done.stderr
    assert "crane: register map berth-hooks is for berth_sample" in done.stderr
    assert "Traceback" not in done.stderr
