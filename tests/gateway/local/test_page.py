import json
from pathlib import Path

from contracts.health import GatewayStatus, SourceStatus, StreamStatus
from contracts.records import Clock, ClockState
from gateway.cli.status import describe
from gateway.local.board import Board, LocalStatus, UplinkStatus
from gateway.local.metrics import GatewayCollector
from gateway.local.page import LocalPage


def newest(*, is_up: bool = True) -> LocalStatus:
    status = GatewayStatus(
        site="s", gateway="g", at_ns=2 * 10**9, boot_id="b", started_at_ns=10**9, software="1",
        clock=Clock(ClockState.NTP, 2.0),
        streams=[
            StreamStatus(stream_id="s.g.0123456789abcdef.track", next_seq=9, buffered_records=4, oldest_at_ns=10**9)
        ],
        sources=[
            SourceStatus(
                source="ais", kind="nmea", place="mast", state="running", records=8, rejected={"checksum": 3},
                last_record_at_ns=10**9, last_error="unplugged",
            )
        ],
        oldest_unacknowledged_s=5.0, quarantined_batches=1,
        counters={"dropped_crane_cycle_too_large": 2, "dropped_log_capacity": 40, "uplink_bytes": 77},
    )  # fmt: skip
    link = UplinkStatus(is_up, "b:8883", "" if is_up else "refused", "no", "is the broker running?")
    return LocalStatus(status=status, uplink=link, used_bytes=50, capacity_bytes=100, trouble="")


def page(status: LocalStatus | None) -> LocalPage:
    board = Board()
    if status is not None:
        board.put(status)
    return LocalPage("127.0.0.1", 0, board, GatewayCollector(board, "hw", Path("/"), 123.0))


def test_before_the_first_status_the_page_says_so() -> None:
    assert page(None).answer("/status.json")[0] == 503
    assert page(None).answer("/metrics") == (200, "text/plain; version=0.0.4; charset=utf-8", b"")
    assert page(None).answer("/healthz")[0] == 200
    assert page(None).answer("/etc/passwd")[0] == 404


def test_status_is_json() -> None:
    code, kind, body = page(newest()).answer("/status.json?x=1")
    assert (code, kind) == (200, "application/json")
    assert json.loads(body)["status"]["gateway"] == "g"


def test_metrics_have_the_names_that_the_rules_use() -> None:
    text = page(newest()).answer("/metrics")[2].decode()
    for line in (
        'gateway_build_info{gateway="g",hw="hw",site="s",version="1"} 1.0',
        "gateway_last_seen_timestamp_seconds 2.0",
        "gateway_clock_error_seconds 0.002",
        "gateway_buffer_used_bytes 50.0",
        "gateway_buffer_capacity_bytes 100.0",
        "gateway_buffer_oldest_timestamp_seconds 1.0",
        "gateway_oldest_unacknowledged_seconds 5.0",
        'gateway_records_dropped_total{class="crane_cycle",reason="too_large"} 2.0',
        'gateway_records_dropped_total{class="log",reason="capacity"} 40.0',
        'gateway_messages_total{source="ais"} 8.0',
        'gateway_source_errors_total{kind="checksum",source="ais"} 3.0',
        'gateway_source_last_message_timestamp_seconds{source="ais"} 1.0',
        'gateway_uplink_up{link="mqtt"} 1.0',
        'gateway_uplink_transmit_bytes_total{link="mqtt"} 77.0',
        "gateway_certificate_not_after_timestamp_seconds 123.0",
    ):
        assert line in text.splitlines()


def test_the_technicians_lines_are_spanish_first_and_say_what_to_do() -> None:
    lines = describe(newest(is_up=False))
    assert lines[0] == "Equipo / gateway: s.g, PortTrack 1"
    assert "  refused: no (is the broker running?)" in lines
    assert any("Apartados / set aside: 1" in line for line in lines)
    assert any("ais (nmea @mast): running" in line and "unplugged" in line for line in lines)
