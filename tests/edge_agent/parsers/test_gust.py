from hypothesis import given
from hypothesis import strategies as st

from edge_agent.parsers.gust import GustMean3s

MS = 1_000_000


def feed(samples: list[tuple[float, float]]) -> list[float | None]:
    """Feed (s, m/s) pairs."""
    gust = GustMean3s()
    return [gust.add(speed, round(at_s * 1e9)) for at_s, speed in samples]


def test_there_is_no_gust_before_three_seconds_are_covered() -> None:
    means = feed([(n * 0.2, 10.0) for n in range(17)])
    assert means[:15] == [None] * 15
    assert means[15:] == [10.0, 10.0]


def test_a_peak_of_one_second_is_a_third_of_the_mean() -> None:
    means = feed([(n * 0.2, 10.0) for n in range(16)] + [(3.2 + n * 0.2, 25.0) for n in range(5)])
    assert means[-1] == 15.0


def test_a_wavering_rate_does_not_weigh_the_mean() -> None:
    """2 s of 10 m/s told twice, 1 s of 40 m/s told twenty times: the mean by number would be 37."""
    samples = [(0.0, 10.0), (1.0, 10.0), (2.0, 10.0)] + [(2.0 + n * 0.05, 40.0) for n in range(1, 21)]
    assert feed(samples)[-1] == 20.0


def test_one_sample_a_second_with_jitter_is_enough() -> None:
    assert feed([(0.0, 5.0), (1.3, 5.0), (2.1, 5.0), (3.2, 5.0)])[-1] == 5.0


def test_a_hole_begins_three_new_seconds() -> None:
    means = feed([(n * 0.2, 10.0) for n in range(16)] + [(4.7 + n * 0.2, 30.0) for n in range(16)])
    assert means[15] == 10.0
    assert means[16:31] == [None] * 15
    assert means[31] == 30.0


def test_samples_of_one_read_count_as_the_newest() -> None:
    means = feed([(n * 0.5, 10.0) for n in range(7)] + [(3.0, 99.0), (3.0, 10.0)])
    assert means[-1] == 10.0


def test_the_window_is_bounded_whatever_the_rate() -> None:
    gust = GustMean3s()
    for n in range(2_000):
        gust.add(10.0, n * MS)
    assert len(gust._samples) <= 1202
    for _ in range(500):
        gust.add(10.0, 2_000 * MS)
    assert len(gust._samples) <= 1202


@given(st.lists(st.tuples(st.integers(0, 2_000), st.floats(0, 100)), max_size=60))
def test_the_gust_lies_between_the_least_and_the_most_of_its_samples(steps: list[tuple[int, float]]) -> None:
    gust = GustMean3s()
    at_ns = 0
    for step_ms, speed in steps:
        at_ns += step_ms * MS
        mean = gust.add(speed, at_ns)
        assert mean is None or 0 <= mean <= max(speed for _, speed in steps) + 0.001
