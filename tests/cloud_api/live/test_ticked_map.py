"""The map that knows what changed since a tick, against a plain list of events."""

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.live.ticked_map import TickedMap

EVENTS = st.lists(st.tuples(st.sampled_from(["put", "remove", "tick"]), st.integers(0, 5)), max_size=60)


@given(EVENTS, st.integers(0, 20))
def test_changed_and_gone_are_what_a_replay_says(events: list[tuple[str, int]], since: int) -> None:
    ticked: TickedMap[int, int] = TickedMap(cap=100, tombstone_cap=100)
    last_change: dict[int, tuple[str, int]] = {}
    tick = 1
    for kind, key in events:
        if kind == "tick":
            tick += 1
        elif kind == "put":
            ticked.put(key, tick, tick)
            last_change[key] = ("put", tick)
        elif ticked.get(key) is not None:
            ticked.remove(key, tick)
            last_change[key] = ("gone", tick)
    assert sorted(ticked.gone_since(since)) == sorted(
        key for key, (kind, at) in last_change.items() if kind == "gone" and at > since
    )
    assert sorted(ticked.changed_since(since)) == sorted(
        at for kind, at in last_change.values() if kind == "put" and at > since
    )


def test_a_full_map_evicts_what_changed_longest_ago_and_leaves_a_tombstone() -> None:
    ticked: TickedMap[str, int] = TickedMap(cap=2, tombstone_cap=10)
    assert not ticked.put("a", 1, 1)
    assert not ticked.put("b", 1, 2)
    assert not ticked.put("a", 2, 3)
    assert ticked.put("c", 1, 4)
    assert ticked.get("b") is None
    assert ticked.gone_since(3) == ["b"]
    assert len(ticked) == 2


def test_forgotten_tombstones_raise_the_floor_only_where_the_cap_forced_it() -> None:
    ticked: TickedMap[int, int] = TickedMap(cap=10, tombstone_cap=2)
    for key in range(4):
        ticked.put(key, key, 1)
    for key in range(3):
        ticked.remove(key, 5 + key)
    assert ticked.floor == 5
    assert sorted(ticked.gone_since(5)) == [1, 2]
    ticked.forget(6)
    assert ticked.gone_since(0) == [2]
    assert ticked.floor == 5


def test_an_item_told_in_parts_keeps_its_tombstone_when_it_comes_back() -> None:
    for is_told_in_parts in (True, False):
        ticked: TickedMap[int, int] = TickedMap(cap=10, tombstone_cap=10, is_told_in_parts=is_told_in_parts)
        ticked.put(1, 1, 1)
        ticked.remove(1, 2)
        ticked.put(1, 3, 3)
        assert ticked.gone_since(1) == ([1] if is_told_in_parts else [])
        assert ticked.gone_since(2) == []
        assert list(ticked.changed_since(1)) == [3]


def test_without_tombstones_every_removal_makes_older_ticks_unservable() -> None:
    ticked: TickedMap[int, int] = TickedMap(cap=10, tombstone_cap=0)
    ticked.put(1, 1, 1)
    ticked.remove(1, 9)
    assert ticked.floor == 9
    assert ticked.gone_since(0) == []
