"""What a profile says of a GNSS receiver."""

from typing import Any

import pytest
from pydantic import ValidationError

from firmware_configs.hardware_profile import NmeaSource


def source(**values: Any) -> NmeaSource:
    link = {"kind": "serial", "device": "/dev/gnss"}
    return NmeaSource.model_validate({"source": "gnss", "driver": "nmea", "link": link} | values)


def test_an_antenna_with_and_without_a_position() -> None:
    assert source(antenna={"limit_m": 30}).antenna is not None
    placed = source(antenna={"lon_deg": -0.2, "lat_deg": 39.6}, is_time_source=True)
    assert placed.antenna is not None
    assert (placed.antenna.lon_deg, placed.antenna.limit_m) == (-0.2, 25.0)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"antenna": {"lon_deg": 1.0}}, "together"),
        ({"antenna": {"lon_deg": 181.0, "lat_deg": 0.0}}, "less than or equal to 180"),
        ({"antenna": {"limit_m": 0}}, "greater than or equal to 1"),
        ({"time_latency_ms": 5_000}, "less than or equal to 2000"),
        ({"is_time_source": True, "link": {"kind": "replay", "path": "log"}}, "a recording does not know"),
    ],
)
def test_settings_that_cannot_be_are_refused(values: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        source(**values)
