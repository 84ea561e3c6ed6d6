"""Room for messages and bytes: never over its caps, and all of it back at the end."""

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.bus.mqtt_room import Room


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=60))
def test_neither_cap_is_passed_and_what_leaves_makes_room(steps: list[tuple[bool, int]]) -> None:
    room, inside = Room(3, 100), list[int]()
    for is_arrival, size in steps:
        if is_arrival:
            fits = len(inside) < 3 and sum(inside) + size <= 100
            assert room.take(size) is fits
            inside += [size] if fits else []
        elif inside:
            room.leave(inside.pop(0))
    for size in inside:
        room.leave(size)
    assert room.take(100)
