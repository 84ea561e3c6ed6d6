"""Questions to the history: pages that stay true while data arrive, cursors, and what is refused."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.archive.cursors import PageCursor, question_mark, read_list_cursor, read_page_cursor, write_cursor
from cloud_api.archive.models import MAX_SPAN_DAYS, SeriesListQuery, SeriesQuery, TrackQuery
from cloud_api.archive.service import DEFAULT_SPAN_NS, ArchiveService
from cloud_api.history.models import TrackPoint
from cloud_api.history.reading import SeriesId, SeriesPoint, ThinnedSeries, ThinnedTrack, TooMuchError
from cloud_api.web.problems import ParameterFault, ProblemError
from tests.support.history_shelf import HistoryShelf

S = 10**9
NOW_NS = 1_790_000_000 * S
MMSI = 224_000_001
WIND = SeriesId("demo", "mast-1", "wind")
MAX_NS = 2**63 - 1


def point(at_ns: int, sog_kn: float | None = 5.0) -> TrackPoint:
    return TrackPoint(at_ns, -0.3, 39.4, sog_kn, 90.0, 91)


@pytest.fixture
def shelf() -> HistoryShelf:
    return HistoryShelf()


@pytest.fixture
def service(shelf: HistoryShelf) -> ArchiveService:
    return ArchiveService(shelf, lambda: NOW_NS)


def fault(call: Callable[[], object]) -> ParameterFault:
    with pytest.raises(ProblemError) as caught:
        call()
    assert caught.value.status == 400
    assert caught.value.problem.errors
    return caught.value.problem.errors[0]


async def times(service: ArchiveService, query: TrackQuery) -> tuple[list[int], str | None]:
    answer = await service.track(MMSI, query)
    assert not isinstance(answer.found, ThinnedTrack)
    return [(NOW_NS - one.observed_at_ns) // S for one in answer.found], answer.next


async def test_pages_show_each_point_once_while_data_arrive(service: ArchiveService, shelf: HistoryShelf) -> None:
    """Five points of two times; between the pages a late one comes before them, and a new one after."""
    shelf.points[MMSI] = [point(NOW_NS - age * S) for age in (30, 30, 30, 20, 20)]
    shown, cursor = await times(service, TrackQuery(limit=2))
    assert shown == [30, 30]
    shelf.points[MMSI] += [point(NOW_NS - 60 * S), point(NOW_NS + 5 * S)]
    service._utc_ns = lambda: NOW_NS + 10 * S
    while cursor is not None:
        more, cursor = await times(service, TrackQuery(limit=2, cursor=cursor))
        shown += more
    assert shown == [30, 30, 30, 20, 20]


async def test_pages_by_their_number_would_show_a_point_twice(service: ArchiveService, shelf: HistoryShelf) -> None:
    """Mutation proof: the same by counting points."""
    shelf.points[MMSI] = [point(NOW_NS - age * S) for age in (30, 30, 30, 20, 20)]
    shown, _ = await times(service, TrackQuery())
    first = shown[:2]
    shelf.points[MMSI] += [point(NOW_NS - 60 * S)]
    shown, _ = await times(service, TrackQuery())
    assert sorted(first + shown[2:]) != [20, 20, 30, 30, 30]


async def test_the_whole_span_in_few_points_is_one_answer(service: ArchiveService, shelf: HistoryShelf) -> None:
    shelf.points[MMSI] = [point(NOW_NS - age * S, 40.0 if age == 500 else 5.0) for age in range(3_000)]
    answer = await service.track(MMSI, TrackQuery(max_points=100))
    assert isinstance(answer.found, ThinnedTrack)
    assert (answer.found.stored, answer.next) == (3_000, None)
    assert answer.span == (NOW_NS - DEFAULT_SPAN_NS, NOW_NS)
    assert max(one.sog_kn or 0 for one in answer.found.points) == 40.0


async def test_series_show_the_channels_asked_for(service: ArchiveService, shelf: HistoryShelf) -> None:
    shelf.series[WIND] = [SeriesPoint(NOW_NS - 5, {"speed_mps": 6.0, "direction_deg": 90.0, "state": "ok"})]
    page = await service.series(WIND, SeriesQuery(channels="state,speed_mps"))
    assert page.found == [SeriesPoint(NOW_NS - 5, {"speed_mps": 6.0, "state": "ok"})]
    thinned = await service.series(WIND, SeriesQuery(channels="state,speed_mps", max_points=10))
    assert isinstance(thinned.found, ThinnedSeries)
    assert list(thinned.found.channels) == ["speed_mps"]


async def test_series_are_listed_page_by_page(service: ArchiveService, shelf: HistoryShelf) -> None:
    for number in range(5):
        shelf.series[SeriesId("demo", f"mast-{number}", "wind")] = [SeriesPoint(NOW_NS, {})]
    seen, cursor = [], None
    while True:
        found, cursor = await service.list_series(SeriesListQuery(limit=2, cursor=cursor))
        seen += [one.id.observer for one in found]
        if cursor is None:
            break
    assert seen == [f"mast-{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"max_points": 10, "limit": 5}, "neither limit nor cursor"),
        ({"from": "2026-11-24T03:00:00Z", "to": "2026-11-24T02:00:00Z"}, "lies after to"),
        ({"from": "2025-01-01T00:00:00Z", "to": "2026-11-24T02:00:00Z"}, f"{MAX_SPAN_DAYS} days apart"),
        ({"from": "1790000000"}, "nanoseconds since 1970"),
        ({"from": "2026-02-30T00:00:00Z"}, "there is not"),
        ({"from": "9" * 19}, "2262"),
        ({"max_points": 6}, "greater than or equal to 7"),
        ({"limit": 5_001}, "less than or equal to 5000"),
    ],
)
def test_what_is_no_question(values: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        TrackQuery.model_validate(values)


def test_times_are_exact_to_the_nanosecond() -> None:
    query = TrackQuery.model_validate({"from": "2026-11-24t03:00:00.123456789+01:00", "to": "1795485600123456789"})
    assert (query.from_, query.to) == (1_795_485_600_123_456_789, 1_795_485_600_123_456_789)


async def test_a_span_after_now_is_refused(service: ArchiveService) -> None:
    with pytest.raises(ProblemError) as caught:
        await service.track(MMSI, TrackQuery.model_validate({"from": str(NOW_NS + 1)}))
    assert [one.parameter for one in caught.value.problem.errors or []] == ["from"]


async def test_too_much_names_the_parameter(service: ArchiveService, shelf: HistoryShelf) -> None:
    for reason, parameter in (("too_many_rows", "from"), ("too_many_channels", "channels")):
        shelf.failure = TooMuchError("read history", "span", "it holds too much", "ask for less", reason)
        with pytest.raises(ProblemError) as caught:
            await service.series(WIND, SeriesQuery(max_points=10))
        assert [one.parameter for one in caught.value.problem.errors or []] == [parameter]


async def test_a_cursor_of_another_question_is_refused(service: ArchiveService, shelf: HistoryShelf) -> None:
    shelf.points[MMSI] = [point(NOW_NS - age * S) for age in (30, 20)]
    _, cursor = await times(service, TrackQuery(limit=1))
    for mmsi, query in ((5, {}), (MMSI, {"from": str(NOW_NS - 40 * S)})):
        with pytest.raises(ProblemError) as caught:
            await service.track(mmsi, TrackQuery.model_validate({"cursor": cursor, **query}))
        assert [one.parameter for one in caught.value.problem.errors or []] == ["cursor"]
    again, _ = await times(service, TrackQuery.model_validate({"cursor": cursor, "to": str(NOW_NS)}))
    assert again == [20]


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_cursor_or_a_problem(text: str) -> None:
    for read in (lambda: read_page_cursor(text, "track/1"), lambda: read_list_cursor(text)):
        with contextlib.suppress(ProblemError):
            read()


@given(st.integers(0, MAX_NS), st.integers(0, MAX_NS), st.integers(0, MAX_NS), st.integers(0, MAX_NS))
def test_a_cursor_comes_back_as_it_was(one: int, other: int, third: int, tie: int) -> None:
    cursor = PageCursor(question_mark("track/1"), min(one, third), max(one, third), other, tie)
    if cursor.from_ns <= other <= cursor.to_ns:
        assert read_page_cursor(write_cursor(cursor), "track/1") == cursor
    else:
        assert fault(lambda: read_page_cursor(write_cursor(cursor), "track/1")).parameter == "cursor"
