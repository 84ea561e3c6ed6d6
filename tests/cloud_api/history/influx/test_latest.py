"""The newest points of an InfluxDB while it takes in others: a point that is half there is no record, and no crash."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from cloud_api.history.influx import latest

TAGS = {
    "site": "demo",
    "gateway": "gw-1",
    "stream": "abcd1234.track",
    "source": "ais",
    "aspect": "position",
    "slot": "1",
}
AT_NS = 1_790_000_000_000_000_000
WHOLE: dict[str, Any] = {
    "time": AT_NS, "at_ns": AT_NS, "seq": 1, "clock": "ntp", "clock_error_ms": 1.0, "record_mono_ns": 5, "boot": "b",
    "msg_type": 1, "mmsi": 224_000_001, "station": "class_a", "lon_deg": -0.3, "lat_deg": 39.4,
}  # fmt: skip


class Server:
    """``QueryEndpoint`` that answers each question for the newest points with the next row."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)
        self.asked = 0

    async def ask(self, statements: str, policy: str | None = None) -> AsyncIterator[bytes]:
        del policy
        if "distinct" in statements:
            return
        self.asked += 1
        row = self.rows.pop(0) if len(self.rows) > 1 else self.rows[0]
        series = {"name": "ais", "tags": TAGS, "columns": list(row), "values": [list(row.values())]}
        yield json.dumps({"results": [{"statement_id": 0, "series": [series]}]}).encode()

    async def close(self) -> None:
        """Hold nothing."""


@pytest.mark.parametrize("missing", ["clock", "boot", "seq", "at_ns", "record_mono_ns", "mmsi", "msg_type", "lat_deg"])
async def test_a_point_that_is_half_there_is_asked_for_again(missing: str) -> None:
    server = Server(WHOLE | {missing: None}, WHOLE)
    with capture_logs() as logs:
        ((site, gateway, record),) = await latest.latest_observations(server, 0)
    assert (site, gateway, record.seq, record.observed_at_ns) == ("demo", "gw-1", 1, AT_NS)
    assert server.asked == 2
    assert logs == []


async def test_a_point_that_stays_half_is_left_out_and_told() -> None:
    server = Server(WHOLE | {"clock": None})
    with capture_logs() as logs:
        assert await latest.latest_observations(server, 0) == []
    assert server.asked == latest.MAX_TIMES
    assert [(entry["event"], entry["points"]) for entry in logs] == [("latest_observations_half_written", 1)]


async def test_without_the_look_for_half_points_one_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof: a row is taken for a record as it comes."""
    monkeypatch.setattr(latest, "_whole_record", latest.record_of)
    with pytest.raises(ValueError, match="ClockState"):
        await latest.latest_observations(Server(WHOLE | {"clock": None}), 0)
