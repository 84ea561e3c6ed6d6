"""Sensors that tell their state in several sentences, and places with several transducers."""

from cloud_api.live.partial_states import HOLD_NS, FieldTimes
from contracts.payloads import GnssFix, Weather
from contracts.radar import RadarDisplay

S = 1_000_000_000
T0 = 1_800_000_000 * S


def test_the_newest_word_on_each_field_is_shown() -> None:
    times = FieldTimes()
    mast = times.completed(Weather(air_temperature_c=21.0, pressure_hpa=1013.0), None, T0)
    water = times.completed(Weather(water_temperature_c=18.0), mast, T0 + 5 * S)
    assert water == Weather(air_temperature_c=21.0, pressure_hpa=1013.0, water_temperature_c=18.0)
    later = times.completed(Weather(air_temperature_c=22.0), water, T0 + 10 * S)
    assert later == Weather(air_temperature_c=22.0, pressure_hpa=1013.0, water_temperature_c=18.0)


def test_what_a_sensor_no_longer_says_is_null_again_however_often_it_says_the_rest() -> None:
    times, state = FieldTimes(), Weather(water_temperature_c=18.0)
    state = times.completed(state, None, T0)  # type: ignore[assignment]  # a weather stays one
    for second in range(0, 200, 10):
        state = times.completed(Weather(air_temperature_c=21.0), state, T0 + second * S)  # type: ignore[assignment]
        assert (state.water_temperature_c is None) == (second * S > HOLD_NS)


def test_a_state_of_another_kind_adds_nothing() -> None:
    assert FieldTimes().completed(GnssFix(hdop=1.0), RadarDisplay(range_m=5.0), T0) == GnssFix(hdop=1.0)
