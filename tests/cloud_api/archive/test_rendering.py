"""CSV that a spreadsheet opens: nothing in it is a formula, whoever wrote it."""

import csv
import io

from cloud_api.archive.rendering import series_csv
from cloud_api.archive.service import Answer
from cloud_api.history.reading import SeriesPoint, Span

FORMULA = "=HYPERLINK(A1)"


def test_no_cell_is_a_formula_not_even_the_name_of_a_channel_in_the_link_that_was_followed() -> None:
    answer = Answer(Span(0, 1), [SeriesPoint(0, {"note": FORMULA, "depth_m": -1.5})])
    text = series_csv(answer, ["note", "depth_m", FORMULA]).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["at", "note", "depth_m", f"'{FORMULA}"],
        ["1970-01-01T00:00:00.000000000Z", f"'{FORMULA}", "-1.5", ""],
    ]
