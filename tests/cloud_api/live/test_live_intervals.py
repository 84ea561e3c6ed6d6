"""Reporting intervals, staleness and expiry."""

import pytest

from cloud_api.live.intervals import (
    EXPIRE_MOVING_S,
    EXPIRE_RESTING_S,
    EXPIRE_SURVIVAL_S,
    expire_after_s,
    nominal_interval_s,
    stale_after_s,
)
from contracts.payloads import AisStation

A, B = AisStation.CLASS_A, AisStation.CLASS_B


@pytest.mark.parametrize(
    ("station", "sog_kn", "nav_status", "msg_type", "interval_s"),
    [
        (A, 0.0, 1, 1, 180.0),
        (A, 3.0, 5, 3, 180.0),
        (A, 3.1, 5, 3, 10.0),
        (A, 0.0, 0, 1, 10.0),
        (A, 14.0, 0, 1, 10.0),
        (A, 14.1, 0, 1, 6.0),
        (A, 23.1, 0, 1, 2.0),
        (A, None, None, 1, 10.0),
        (A, 12.0, 0, 27, 180.0),
        (B, 2.0, None, 18, 180.0),
        (B, 2.1, None, 18, 30.0),
        (B, None, None, 18, 30.0),
        (AisStation.BASE, None, None, 4, 10.0),
        (AisStation.ATON, None, None, 21, 180.0),
        (AisStation.SAR_AIRCRAFT, 140.0, None, 9, 10.0),
        (AisStation.SURVIVAL, 0.0, 14, 1, 60.0),
        (AisStation.UNKNOWN, 5.0, None, 1, 180.0),
    ],
)
def test_nominal_interval_is_that_of_the_table(
    station: AisStation, sog_kn: float | None, nav_status: int | None, msg_type: int, interval_s: float
) -> None:
    assert nominal_interval_s(station, sog_kn, nav_status, msg_type) == interval_s


def test_stale_is_three_intervals_and_never_less_than_a_minute() -> None:
    assert stale_after_s(A, 25.0, 0) == 60.0
    assert stale_after_s(A, 0.0, 1) == 540.0
    assert stale_after_s(B, 10.0, None) == 90.0


def test_what_rests_stays_longer_than_what_moves() -> None:
    assert expire_after_s(A, 12.0, 0) == EXPIRE_MOVING_S
    assert expire_after_s(A, 0.1, 5) == EXPIRE_RESTING_S
    assert expire_after_s(B, 1.0, None) == EXPIRE_RESTING_S
    assert expire_after_s(AisStation.ATON, None, None) == EXPIRE_RESTING_S
    assert expire_after_s(AisStation.BASE, 0.0, None) == EXPIRE_MOVING_S
    assert expire_after_s(AisStation.SURVIVAL, 0.0, 14) == EXPIRE_SURVIVAL_S


def test_nothing_expires_before_it_is_stale() -> None:
    for station in AisStation:
        for sog_kn in (None, 0.0, 2.0, 3.0, 10.0, 30.0):
            for nav_status in (None, 0, 1, 5):
                assert expire_after_s(station, sog_kn, nav_status) > stale_after_s(station, sog_kn, nav_status)
