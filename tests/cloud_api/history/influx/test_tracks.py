"""Where a point of an InfluxDB stands in an answer: whatever its number, a cursor can say it."""

import pytest

from cloud_api.archive.cursors import PageCursor, question_mark, read_page_cursor, write_cursor
from cloud_api.history.influx.answering import Row
from cloud_api.history.influx.tracks import position_of
from cloud_api.ingest.judging_policy import MAX_SEQ

AT_NS = 1_790_000_000_000_000_000


def row(seq: int, stream: str = "abcd1234.track") -> Row:
    values = {"at_ns": AT_NS, "seq": seq, "site": "puerto-demo", "gateway": "gw-1", "stream": stream}
    return Row("ais", {}, values)


@pytest.mark.parametrize("seq", [1, 2**43 - 1, 2**43, MAX_SEQ])
def test_a_cursor_can_say_the_place_of_any_number(seq: int) -> None:
    position = position_of(row(seq))
    cursor = PageCursor(question_mark("track/1"), AT_NS, AT_NS, *position)
    assert read_page_cursor(write_cursor(cursor), "track/1").position == position


def test_points_of_one_time_stand_in_the_order_of_their_numbers_and_those_of_two_streams_apart() -> None:
    assert position_of(row(7)) < position_of(row(8)) < position_of(row(9, "other123.track"))
    assert position_of(row(8)) != position_of(row(8, "other123.track"))
