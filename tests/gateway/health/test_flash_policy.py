import pytest

from firmware_configs.device import Flash
from gateway.health.flash_policy import DAY_S, KNOWN_AFTER_S, FlashPolicy, card_life_days


def test_a_steady_writer_gives_its_bytes_a_day() -> None:
    policy = FlashPolicy()
    for step in range(400):
        policy.note({7: 1_000_000 + step * 2000}, step * 2.0)
    assert policy.bytes_per_day() == pytest.approx(1000 * DAY_S)
    assert policy.written_bytes == 399 * 2000


def test_it_is_not_known_before_the_start_is_over() -> None:
    policy = FlashPolicy()
    policy.note({7: 0}, 0.0)
    policy.note({7: 10**9}, KNOWN_AFTER_S - 1)
    assert policy.bytes_per_day() is None


def test_a_driver_that_starts_anew_is_counted_from_its_start() -> None:
    policy = FlashPolicy()
    policy.note({7: 100, 8: 5000}, 0.0)
    policy.note({7: 150, 9: 400}, 2.0)
    assert policy.written_bytes == 50 + 400
    policy.note({7: 150, 9: 30}, 4.0)
    assert policy.written_bytes == 50 + 400 + 30, "the id was given to another process"


def test_what_cannot_be_read_is_zero_not_an_error() -> None:
    policy = FlashPolicy()
    for step in range(400):
        policy.note({}, step * 2.0)
    assert policy.bytes_per_day() == 0
    assert card_life_days(Flash(written_tb=20), policy.bytes_per_day()) is None


def test_the_life_is_what_the_maker_says_may_be_written_over_the_rate() -> None:
    assert card_life_days(Flash(written_tb=20), 10e9) == pytest.approx(2000)
    by_cycles = Flash(capacity_gb=16, erase_cycles=3000, write_amplification=4)
    assert card_life_days(by_cycles, 6e9) == pytest.approx(2000)
    assert card_life_days(Flash(capacity_gb=16, erase_cycles=3000), 6e9) is None, "nothing is assumed"
    assert card_life_days(Flash(), 6e9) is None
    assert card_life_days(Flash(written_tb=20), None) is None
