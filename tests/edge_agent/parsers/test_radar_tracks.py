"""Tracked targets in six-bit characters: encoded here by the table of the standard, read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.radar import RadarTarget
from edge_agent.parsers.radar_tracks import parse_ttd

WIDTHS = {
    "version": 2, "number": 10, "bearing": 12, "speed": 12, "course": 12, "heading": 12, "status": 3, "test": 1,
    "distance": 14, "over_ground": 1, "stabilised": 1, "reserved": 2, "correlation": 8,
}  # fmt: skip
NOT_KNOWN = {"bearing": 4095, "speed": 4095, "course": 4095, "heading": 4095, "distance": 16383}


def encoded(**values: int) -> str:
    """Return one target of 15 characters."""
    bits = "".join(format(values.get(name, 0), f"0{width}b") for name, width in WIDTHS.items())
    numbers = [int(bits[at : at + 6], 2) for at in range(0, 90, 6)]
    return "".join(chr(number + 48 if number < 40 else number + 56) for number in numbers)


def read(payload: str, fill: str = "0") -> tuple[list[object], list[str]]:
    readings = parse_ttd(f"RATTD,01,01,3,{payload},{fill}".encode().split(b","))
    return list(readings.payloads), [fault.reason for fault in readings.faults]


SHIP = {
    "number": 498, "bearing": 1559, "speed": 123, "course": 747, "heading": 750, "status": 6, "distance": 429,
    "over_ground": 1, "correlation": 7,
}  # fmt: skip
SHIP_READ = RadarTarget(
    target_no=498, status="tracking", distance_m=7945.08, bearing_deg=155.9, sog_kn=12.3, cog_deg=74.7,
    heading_deg=75.0, is_bearing_true=True, is_course_true=True, is_cpa_alarm=True, is_over_ground=True,
    correlation_no=7,
)  # fmt: skip


def test_the_alphabet_is_that_of_vdm() -> None:
    assert encoded(version=3, number=1023, **NOT_KNOWN)[:2] == "ww"


def test_a_target_is_read_field_by_field() -> None:
    assert read(encoded(**SHIP)) == ([SHIP_READ], [])


def test_four_targets_fit_a_sentence_and_number_zero_is_none() -> None:
    payload = "".join(encoded(**(SHIP | {"number": number})) for number in (1, 0, 1023, 66))
    targets, faults = read(payload)
    assert [target.target_no for target in targets if isinstance(target, RadarTarget)] == [1, 1023, 66]
    assert faults == ["no_value"]


def test_what_is_not_known_is_null() -> None:
    targets, faults = read(encoded(number=5, status=2, **NOT_KNOWN))
    assert targets == [RadarTarget(target_no=5, status="lost")]
    assert not faults


@pytest.mark.parametrize(
    ("code", "status", "is_alarm"),
    [(0, "not_tracking", None), (1, "query", None), (2, "lost", None), (3, None, None), (4, "tracking", False),
     (5, None, None), (6, "tracking", True), (7, "tracking", True)],
)  # fmt: skip
def test_each_status(*, code: int, status: str | None, is_alarm: bool | None) -> None:
    (target,), _ = read(encoded(number=9, status=code, **NOT_KNOWN))
    assert target == RadarTarget(target_no=9, status=status, is_cpa_alarm=is_alarm)


def test_another_version_has_an_unknown_length_and_takes_the_rest_of_the_sentence() -> None:
    payload = encoded(**SHIP) + encoded(**(SHIP | {"version": 1})) + encoded(**SHIP)
    assert read(payload) == ([SHIP_READ], ["bad_field"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("RATTD,01,01,3,,0", "no_value"),
        ("RATTD,01,01,3,0000", "bad_field"),
        ("RATTD,0G,01,3,0000,0", "bad_field"),
        ("RATTD,01,,3,0000,0", "bad_field"),
        ("RATTD,01,01,3,00X0,0", "bad_field"),
        ("RATTD,01,01,3,0000,6", "bad_field"),
        ("RATTD,01,01,3,0000,0", "bad_field"),
        ("RATTD,1A,01,1,177KQJ5000G?tO`K>RA1wUbN0TKH,0", "bad_field"),
    ],
)
def test_a_sentence_that_is_none_has_its_reason(text: str, reason: str) -> None:
    readings = parse_ttd(text.encode().split(b","))
    assert reason in [fault.reason for fault in readings.faults]


@pytest.mark.parametrize("change", [{"bearing": 3601}, {"course": 4094}, {"heading": 4000}, {"distance": 14000}])
def test_an_impossible_value_refuses_its_target_only(change: dict[str, int]) -> None:
    assert read(encoded(**(SHIP | change)) + encoded(**SHIP)) == ([SHIP_READ], ["out_of_range"])


@given(st.fixed_dictionaries({name: st.integers(0, 2**width - 1) for name, width in WIDTHS.items()}))
def test_no_sentinel_leaves_the_parser_over_all_raw_values(values: dict[str, int]) -> None:
    targets, faults = read(encoded(**values))
    assert len(targets) + len(faults) == 1
    for target in targets:
        assert isinstance(target, RadarTarget)
        assert target.sog_kn is None or target.sog_kn < 409.5
        assert target.distance_m is None or target.distance_m < 250_000
        for angle in (target.bearing_deg, target.cog_deg, target.heading_deg):
            assert angle is None or 0 <= angle < 360
        for name, no_value in NOT_KNOWN.items():
            field = {"bearing": "bearing_deg", "speed": "sog_kn", "course": "cog_deg", "heading": "heading_deg",
                     "distance": "distance_m"}[name]  # fmt: skip
            assert (getattr(target, field) is None) == (values[name] == no_value)
