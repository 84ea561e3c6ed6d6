from gateway.uplink.receive_maximum_policy import Unacknowledged


def test_no_more_are_on_the_way_than_the_broker_takes_and_order_is_kept() -> None:
    messages = Unacknowledged(at_once=8, capacity=10)
    messages.allow(2)
    for number in (1, 2, 3):
        assert messages.add(number, "t", b"%d" % number)
    went = []
    for packet_id in (11, 12):
        turn = messages.turn()
        assert turn is not None
        went.append(turn[1])
        messages.sent(packet_id)
    assert messages.turn() is None
    assert messages.acknowledged(12) == 2
    assert messages.turn() == ("t", b"3")
    assert messages.acknowledged(99) == 0
    assert went == [b"1", b"2"]


def test_what_is_held_is_bounded() -> None:
    messages = Unacknowledged(at_once=2, capacity=3)
    assert [messages.add(number, "t", b"") for number in range(1, 6)] == [True, True, True, False, False]
    messages.sent(1)
    messages.acknowledged(1)
    assert messages.add(9, "t", b"")


def test_a_broker_that_takes_nothing_is_taken_to_take_one() -> None:
    messages = Unacknowledged(at_once=2, capacity=3)
    messages.allow(0)
    messages.add(1, "t", b"")
    assert messages.turn() is not None
