"""How much of the disk the outbox may take, and how much of its file it hands back. Sans-io."""

from dataclasses import dataclass

from gateway.outbox.eviction_policy import LOW_WATER, REASON_CAPACITY, REASON_DISK_SPACE, Cap

SHRINK_STEP_BYTES = 1024 * 1024
"""Handed back in one transaction: some 1,000 pages to move, 50 ms on a card; the next second brings the next."""


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """A file system: its size, and what of it a program without privileges may still take; bytes."""

    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class FileUse:
    """The database file: its size, and what of that is in use; bytes."""

    file_bytes: int
    used_bytes: int


class SpacePolicy:
    """Bounds the outbox by its setting and by the disk, whichever is less.

    Args:
        max_bytes: cap by the setting.
        share: part of the file system that stays free, 0 to 0.5.
        min_bytes: least that stays free.
        max_bytes_free: most that is kept free.
        floor_bytes: what the outbox may hold however full the disk is.
        reason: the word for what goes because of ``max_bytes``.
    """

    def __init__(
        self,
        max_bytes: int,
        share: float,
        min_bytes: int,
        max_bytes_free: int,
        floor_bytes: int,
        reason: str = REASON_CAPACITY,
    ) -> None:
        self._reason = reason
        self._max_bytes = max_bytes
        self._share = share
        self._min_bytes = min_bytes
        self._max_bytes_free = max_bytes_free
        self._floor_bytes = floor_bytes

    def reserve_bytes(self, space: DiskSpace) -> int:
        """Return what is to stay free; never more than half of the file system."""
        wanted = min(max(int(space.total_bytes * self._share), self._min_bytes), self._max_bytes_free)
        return min(wanted, space.total_bytes // 2)

    def cap(self, use: FileUse, space: DiskSpace | None) -> Cap:
        """Return what the pages in use may grow to.

        Args:
            use: the file now.
            space: the file system; None where it does not answer, then only the setting counts.
        """
        if space is None:
            return Cap(self._max_bytes, self._reason)
        by_disk = max(use.file_bytes + space.free_bytes - self.reserve_bytes(space), self._floor_bytes)
        if by_disk < self._max_bytes:
            return Cap(by_disk, REASON_DISK_SPACE)
        return Cap(self._max_bytes, self._reason)

    def is_short(self, use: FileUse, space: DiskSpace) -> bool:
        """Tell whether less is free than should be, or records would have to go for it."""
        cap = self.cap(use, space)
        is_tight = cap.reason == REASON_DISK_SPACE and use.used_bytes > cap.max_bytes * LOW_WATER
        return is_tight or space.free_bytes < self.reserve_bytes(space)

    def shrink_bytes(self, use: FileUse, space: DiskSpace | None) -> int:
        """Return how much of the unused part of the file is to be handed back now.

        Nothing while the disk has room: pages that wait for the next records cost nothing, moving them wears the flash.
        """
        unused = use.file_bytes - use.used_bytes
        if space is None or unused <= 0:
            return 0
        missing = self.reserve_bytes(space) - space.free_bytes
        return max(0, min(missing, unused, SHRINK_STEP_BYTES))
