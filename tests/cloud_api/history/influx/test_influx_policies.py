"""Placing by time, cap on series, meaning of answers, and statements as text."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.history.influx import influxql
from cloud_api.history.influx.answering import rows_of
from cloud_api.history.influx.answers_policy import MAX_RETRY_AFTER_S, Meaning, judge
from cloud_api.history.influx.placing_policy import DAY_NS, Place, Placing
from cloud_api.history.influx.schema import BEYOND, PLACED
from cloud_api.history.influx.series_guard_policy import SeriesGuard
from contracts.errors import LinkError, PeerError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOW_NS = 1_795_521_600 * 10**9
YEAR_2100_NS = 4_102_444_800 * 10**9


@pytest.mark.parametrize("at_ns", [0, -1, 5 * 10**9, NOW_NS - 31 * DAY_NS, NOW_NS + 2 * DAY_NS, YEAR_2100_NS])
def test_a_time_that_the_server_would_drop_or_never_expire_goes_beyond_by_its_number(at_ns: int) -> None:
    assert Placing(30 * DAY_NS).place(at_ns, 77, NOW_NS) == Place(BEYOND, 77)


@pytest.mark.parametrize("at_ns", [NOW_NS, NOW_NS - 29 * DAY_NS, NOW_NS + 3600 * 10**9])
def test_a_time_within_the_retention_stands_at_its_millisecond(at_ns: int) -> None:
    assert Placing(30 * DAY_NS).place(at_ns, 77, NOW_NS) == Place(PLACED, at_ns + 77)


def test_without_a_retention_only_the_future_is_beyond() -> None:
    assert Placing(None).place(5, 1, NOW_NS).policy == PLACED
    assert Placing(None).place(YEAR_2100_NS, 1, NOW_NS).policy == BEYOND


def test_a_gateway_that_makes_up_names_stops_at_its_cap_and_others_do_not_notice() -> None:
    guard = SeriesGuard(max_series=10)
    admitted = sum(guard.admits("s", "rogue", (f"source-{n}",), NOW_NS) for n in range(1000))
    assert admitted == 10
    assert guard.admits("s", "rogue", ("source-3",), NOW_NS)
    assert guard.admits("s", "honest", ("wind",), NOW_NS)
    assert guard.admits("s", "rogue", ("source-999",), NOW_NS + DAY_NS)


@pytest.mark.parametrize(
    ("status", "body", "meaning", "reason"),
    [
        (204, "", Meaning.WRITTEN, ""),
        (400, '{"error":"field type conflict"}', Meaning.REFUSED, "type_conflict"),
        (400, '{"error":"partial write: points beyond retention policy dropped=1"}', Meaning.REFUSED,
         "beyond_retention"),
        (400, "{\"error\":\"unable to parse 'm f=abc 1': invalid boolean\"}", Meaning.REFUSED, "unparsable"),
        (422, '{"code":"unprocessable entity","message":"field type conflict"}', Meaning.REFUSED, "type_conflict"),
        (400, '{"error":"something new"}', Meaning.REFUSED, "refused"),
        (413, "", Meaning.REFUSED, "too_large"),
        (400, '{"error":"partial write: max-series-per-database limit exceeded"}', Meaning.LATER, "series_limit"),
        (401, "", Meaning.LATER, "unauthorised"),
        (404, '{"error":"database not found"}', Meaning.LATER, "no_database"),
        (429, "", Meaning.LATER, "busy"),
        (503, "", Meaning.LATER, "busy"),
        (500, '{"error":"timeout"}', Meaning.LATER, "server_error"),
        (302, "", Meaning.LATER, "server_error"),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int, body: str, meaning: Meaning, reason: str) -> None:
    answer = judge(status, body, None, NOW)
    assert (answer.meaning, answer.reason) == (meaning, reason)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7.0), (" 0 ", 0.0), ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0), ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("999999", MAX_RETRY_AFTER_S), ("soon", None), ("-3", None), ("", None), ("¹", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_within_a_cap(header: str, wait_s: float | None) -> None:
    assert judge(503, "", header, NOW).wait_s == wait_s


@given(st.text(max_size=80))
def test_any_retry_after_is_a_wait_or_none(header: str) -> None:
    wait_s = judge(429, "", header, NOW).wait_s
    assert wait_s is None or 0 <= wait_s <= MAX_RETRY_AFTER_S


def test_names_and_values_cannot_end_where_they_should_not() -> None:
    assert influxql.name('a"; DROP DATABASE x; --') == '"a\\"; DROP DATABASE x; --"'
    assert influxql.text("' OR 1=1; DROP DATABASE x; --\\") == "'\\' OR 1=1; DROP DATABASE x; --\\\\'"
    for hostile in ("a\x00b", "\ud800", "x" * 2000):
        with pytest.raises(PeerError):
            influxql.text(hostile)
    assert influxql.integer(2**80) == str(2**63 - 1)
    assert [influxql.duration(ns) for ns in (0, DAY_NS, 90 * 10**9, 1_500_000, 7)] == ["INF", "1d", "90s", "1500000ns",
                                                                                      "7ns"]  # fmt: skip


@given(st.binary(max_size=60))
def test_any_line_of_an_answer_is_rows_or_one_error(line: bytes) -> None:
    with contextlib.suppress(LinkError):
        assert isinstance(rows_of(line), list)


def test_an_answer_that_failed_is_an_error_not_an_empty_answer() -> None:
    with pytest.raises(LinkError, match="retention policy not found"):
        rows_of(b'{"results":[{"statement_id":0,"error":"retention policy not found: raw"}]}')
