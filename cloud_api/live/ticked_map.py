"""A capped map that knows what changed since a tick. Sans-io.

Items lie in the order of their last change, so that "what changed since" costs what changed and not what exists, and
the item that has been silent longest is the first to go when the map is full. What was removed leaves a tombstone with
the tick of its removal; once tombstones are forgotten, older ticks can no longer be served (``floor``).
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class TickedMap(Generic[Key, Item]):
    """Items by key, the tick of each one's last change, and tombstones.

    Args:
        cap: most items held; a put beyond it evicts the item that changed longest ago.
        tombstone_cap: most tombstones held; beyond it the oldest is forgotten and ``floor`` rises. 0 where the reader
            cannot be told of a removal: each removal then makes all older ticks unservable.
        is_told_in_parts: an item that comes back keeps its tombstone, for a reader is told of the item's parts and has
            to drop those that did not come back.
    """

    def __init__(self, cap: int, tombstone_cap: int, *, is_told_in_parts: bool = False) -> None:
        self._cap = cap
        self._tombstone_cap = tombstone_cap
        self._is_told_in_parts = is_told_in_parts
        self._items: OrderedDict[Key, Item] = OrderedDict()
        self._ticks: dict[Key, int] = {}
        self._gone: OrderedDict[Key, int] = OrderedDict()
        self.floor = 0

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: Key) -> Item | None:
        """Return the item, or None."""
        return self._items.get(key)

    def put(self, key: Key, item: Item, tick: int) -> bool:
        """Add or mark as changed at ``tick``, which never falls.

        Returns:
            whether another item had to be evicted for it.
        """
        is_full = key not in self._items and len(self._items) >= self._cap
        if is_full:
            self.remove(next(iter(self._items)), tick)
        self._items[key] = item
        self._items.move_to_end(key)
        self._ticks[key] = tick
        if not self._is_told_in_parts:
            self._gone.pop(key, None)
        return is_full

    def remove(self, key: Key, tick: int) -> None:
        """Remove an item at ``tick`` and leave a tombstone.

        Raises:
            KeyError: there is no such item.
        """
        del self._items[key]
        del self._ticks[key]
        self._gone[key] = tick
        self._gone.move_to_end(key)
        if len(self._gone) > self._tombstone_cap:
            self.floor = max(self.floor, self._gone.popitem(last=False)[1])

    def values(self) -> list[Item]:
        """Return a copy of all items, the one that changed longest ago first."""
        return list(self._items.values())

    def changed_since(self, tick: int) -> Iterator[Item]:
        """Yield the items that changed after ``tick``, the newest change first."""
        for key in reversed(self._items):
            if self._ticks[key] <= tick:
                return
            yield self._items[key]

    def gone_since(self, tick: int) -> list[Key]:
        """Return the keys removed after ``tick``; those that are there again only if they are told in parts."""
        gone: list[Key] = []
        for key in reversed(self._gone):
            if self._gone[key] <= tick:
                break
            gone.append(key)
        return gone

    def forget(self, tick: int) -> None:
        """Forget tombstones up to ``tick``; the caller no longer serves readers below it."""
        while self._gone:
            key = next(iter(self._gone))
            if self._gone[key] > tick:
                return
            del self._gone[key]
