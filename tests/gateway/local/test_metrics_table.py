"""The table of metrics in README.md is what the collector emits, word for word."""

from pathlib import Path

import msgspec
from prometheus_client.core import Metric

from contracts.health import ClassStatus
from gateway.local.board import Board
from gateway.local.metrics import GatewayCollector
from gateway.outbox.models import Lane
from gateway.uplink.lanes_policy import LaneFigures
from tests.gateway.local.test_html import STOP
from tests.gateway.local.test_page import newest

README = Path(__file__).parents[3] / "README.md"
HEAD = "| metric | type | labels | what it says |"


def everything() -> list[Metric]:
    """Return what is emitted when everything is known."""
    status = newest()
    full = msgspec.structs.replace(
        status.status,
        classes=[
            ClassStatus(
                record_class="track", buffered_records=4, buffered_bytes=400, oldest_age_s=5.0, records_per_s=75.0,
                bytes_per_s=7500.0, capacity_bytes=10**9, headroom_s=133.0,
            )
        ],
        headroom_s=133.0, replay_records_per_s=300.0, drain_s=20.0, flash_bytes_per_day=1e9, card_life_days=900.0,
        sources=[msgspec.structs.replace(status.status.sources[0], ends={"hang": 1})],
    )  # fmt: skip
    board = Board()
    lane = LaneFigures(Lane.LIVE, 3, 300, 57, 1, 0.2, 10.0, 19.0, is_paused=False)
    link = msgspec.structs.replace(status.uplink, lanes=[lane])
    board.put(msgspec.structs.replace(status, status=full, uplink=link))
    board.put_alarms([STOP])
    return list(GatewayCollector(board, "hw", Path("/"), 123.0).collect())


def table() -> list[str]:
    lines = []
    for metric in everything():
        assert metric.samples, f"{metric.name} has no sample: the test knows nothing to make one of"
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        labels = ", ".join(metric.samples[0].labels)
        lines.append(f"| `{name}` | {metric.type} | {labels} | {metric.documentation} |")
    return lines


def test_the_readme_holds_every_metric_and_no_other() -> None:
    text = README.read_text(encoding="utf-8")
    assert HEAD in text
    written = text[text.index(HEAD) :].splitlines()[2:]
    shown = written[: next((at for at, line in enumerate(written) if not line.startswith("|")), len(written))]
    assert shown == table(), "put this into README.md:\n" + "\n".join(table())


def test_every_name_ends_in_its_unit_or_is_a_number_of_things() -> None:
    """*Source:* Prometheus, metric and label naming: base units, plural, as the suffix."""
    units = ("_seconds", "_bytes", "_per_second", "_per_day", "_total", "_records", "_batches")
    states = ("_info", "_up", "_trouble", "_volatile", "_active", "_unanswered", "_paused")
    for line in table():
        name = line.split("`")[1]
        assert name.startswith("gateway_")
        assert name.endswith((*units, *states)), name


def test_a_figure_that_is_not_known_is_absent() -> None:
    board = Board()
    board.put(newest())
    names = {metric.name for metric in GatewayCollector(board, "hw", Path("/"), None).collect() if metric.samples}
    assert "gateway_buffer_headroom_seconds" not in names
    assert "gateway_flash_card_life_seconds" not in names
    assert "gateway_certificate_not_after_timestamp_seconds" not in names
