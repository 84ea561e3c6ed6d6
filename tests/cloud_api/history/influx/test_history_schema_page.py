"""docs/history_schema.md says what the schema is."""

import re
from pathlib import Path

from cloud_api.history.influx.provisioning import rolled_up_measurements
from cloud_api.history.influx.schema import MEASUREMENTS, RECORD_FIELDS, SLOTS, TAGS, TIES
from cloud_api.history.influx.series_guard_policy import MAX_SERIES_A_DAY
from cloud_api.operations.point_quarantine import MAX_ROWS

PAGE = (Path(__file__).parents[4] / "docs" / "history_schema.md").read_text()


def rows() -> dict[str, tuple[str, str]]:
    found = re.findall(r"^\| `(\w+)` \| ([^|]*) \| (yes|no) \|$", PAGE, re.MULTILINE)
    return {name: (fields, minutes) for name, fields, minutes in found}


def test_every_measurement_stands_in_the_table_with_its_fields_and_types() -> None:
    expected = {
        name: (
            ", ".join(f"`{field.key}` {field.type.value}" for field in fields),
            "yes" if name in rolled_up_measurements() else "no",
        )
        for name, fields in MEASUREMENTS.items()
    }
    assert rows() == expected


def test_what_every_measurement_has_stands_there_too() -> None:
    for field in RECORD_FIELDS:
        assert f"| `{field.key}` | {field.type.value} |" in PAGE
    for tag in TAGS:
        assert f"`{tag}`" in PAGE


def test_the_page_gives_the_bounds_of_the_code() -> None:
    for number in (SLOTS, TIES, MAX_SERIES_A_DAY, MAX_ROWS):
        assert f"{number:,}" in PAGE
