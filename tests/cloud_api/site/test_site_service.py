"""Charts: what is read, and what is refused with the fault named."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cloud_api.site.service import load_chart
from contracts.errors import ConfigError
from tests.support.web_server import CHART


def write(folder: Path, chart: Any) -> Path:
    path = folder / "chart.geojson"
    path.write_text(json.dumps(chart), encoding="utf-8")
    return path


def test_the_tag_follows_the_content(tmp_path: Path) -> None:
    first = load_chart(write(tmp_path, CHART))
    changed = copy.deepcopy(CHART) | {"name_en": "Other"}
    assert load_chart(write(tmp_path, CHART)).etag == first.etag
    assert load_chart(write(tmp_path, changed)).etag != first.etag


@pytest.mark.parametrize(
    ("chart", "fault"),
    [
        ([], "FeatureCollection"),
        ({"type": "FeatureCollection"}, "lacks site"),
        (CHART | {"features": None}, "has no features"),
        (CHART | {"features": [{"properties": {"kind": "buoy"}}]}, r"features\[0\]"),
    ],
)
def test_what_is_no_chart_is_refused(tmp_path: Path, chart: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        load_chart(write(tmp_path, chart))


def test_a_missing_file_and_one_that_is_not_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as info:
        load_chart(tmp_path / "none.geojson")
    assert info.value.reason == "unreadable"
    (tmp_path / "bad.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError) as info:
        load_chart(tmp_path / "bad.geojson")
    assert info.value.reason == "not_json"
