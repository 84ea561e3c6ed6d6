"""Times as the API speaks them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.timestamps import MAX_UTC_NS, format_utc, to_ns


@given(st.integers(0, MAX_UTC_NS // 1_000_000))
def test_a_time_is_written_to_the_millisecond_and_read_back(at_ms: int) -> None:
    assert to_ns(datetime.fromisoformat(format_utc(at_ms * 1_000_000))) == at_ms * 1_000_000


def test_what_a_broken_clock_says_is_clamped() -> None:
    assert format_utc(-1) == "1970-01-01T00:00:00.000Z"
    assert format_utc(2**90) == "9999-12-31T23:59:59.999Z"
    assert to_ns(datetime(1970, 1, 1, tzinfo=UTC)) == 0
