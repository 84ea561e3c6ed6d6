from gateway.uplink.rates_policy import SLOTS, Rate


def test_a_steady_flow_is_read_right_from_its_first_seconds_on() -> None:
    rate = Rate()
    for tick in range(400):
        rate.add(10, 1000 + tick / 10)
        if tick in {100, 399}:
            assert 90 <= rate.per_s(1000 + tick / 10) <= 110


def test_what_has_ended_is_forgotten_and_memory_is_bounded() -> None:
    rate = Rate()
    for tick in range(10_000):
        rate.add(1, tick)
    assert len(rate._slots) <= SLOTS
    assert rate.per_s(10_100) == 0


def test_nothing_is_no_rate() -> None:
    assert Rate().per_s(5) == 0
