import pytest

from gateway.local.figures import UNKNOWN, size, span, years


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, UNKNOWN), (0.0, "0 s"), (119.0, "119 s"), (600.0, "10 min"), (7200.0, "2.0 h"), (345_600.0, "4 d")],
)
def test_a_span_is_told_in_the_unit_that_a_person_would_use(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, UNKNOWN), (0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2e9, "2.0 GB"), (3e12, "3.0 TB")],
)
def test_sizes_are_decimal(amount: float | None, text: str) -> None:
    assert size(amount) == text


def test_a_life_is_told_in_years() -> None:
    assert years(None) == UNKNOWN
    assert years(730.5) == "2.0 años / years"
    assert years(1e6) == "> 100 años / years"
