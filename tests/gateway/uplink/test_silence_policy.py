from gateway.uplink.silence_policy import FIRST_LIMIT_S, MAX_LIMIT_S, NOTICE_S, Silence


def test_silence_counts_from_the_first_batch_and_ends_with_any_answer() -> None:
    silence = Silence()
    assert not silence.is_noticed(10**6)
    silence.sent(0)
    silence.sent(20)
    assert not silence.is_noticed(NOTICE_S - 1)
    assert silence.is_noticed(NOTICE_S)
    silence.answered()
    assert not silence.is_noticed(10**6)


def test_a_cloud_that_stays_away_ends_the_connection_ever_more_seldom() -> None:
    silence = Silence()
    limits: list[float] = []
    now = 0.0
    for _ in range(8):
        silence.connected()
        silence.sent(now)
        began = now
        while not silence.is_over_limit(now):
            now += 1
        limits.append(now - began)
    assert limits[:3] == [FIRST_LIMIT_S, 2 * FIRST_LIMIT_S, 4 * FIRST_LIMIT_S]
    assert limits[-1] == MAX_LIMIT_S
    silence.answered()
    silence.sent(now)
    assert silence.is_over_limit(now + FIRST_LIMIT_S)
