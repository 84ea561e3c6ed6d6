"""What is known of a channel over some time without its observations: lowest, mean and highest. Sans-io."""

import math
from collections.abc import Iterable, Mapping
from typing import Protocol, Self

from cloud_api.history.channels import DIRECTIONS, is_numeric
from cloud_api.history.reading import Bucket, Scalar

DIGITS = 9
"""Digits after the point that packed sums keep: a millionth of the finest resolution of a sensor."""
MAX_VALUE = 1e30
"""No sensor of a port has seen more; sums of a year of it stay finite."""
_OPPOSED = 1e-6
"""A mean unit vector shorter than this has no direction."""


class ChannelSums(Protocol):
    """Sums of one channel."""

    def add(self, value: float) -> None:
        """Take one observation."""
        ...

    def merge(self, packed: list[float]) -> None:
        """Take what ``packed`` told of another time of the same channel."""
        ...

    def packed(self) -> list[float]:
        """Return the numbers that it is made of."""
        ...

    def bucket(self, at_ns: int) -> Bucket:
        """Return it as the bucket that begins at ``at_ns``; there is at least one observation."""
        ...


class LineSums:
    """Sums of a quantity on a line."""

    __slots__ = ("_count", "_highest", "_lowest", "_total")

    def __init__(self) -> None:
        self._count, self._total, self._lowest, self._highest = 0, 0.0, math.inf, -math.inf

    def add(self, value: float) -> None:
        """See ``ChannelSums``."""
        self._count += 1
        self._total += value
        # a day of one sensor is 86,400 of these; min() and max() take twice the time
        if value < self._lowest:  # noqa: PLR1730
            self._lowest = value
        if value > self._highest:  # noqa: PLR1730
            self._highest = value

    def merge(self, packed: list[float]) -> None:
        """See ``ChannelSums``."""
        count, lowest, total, highest = packed
        self._count += int(count)
        self._total += total
        self._lowest, self._highest = min(self._lowest, lowest), max(self._highest, highest)

    def packed(self) -> list[float]:
        """Return count, lowest, sum and highest."""
        return [self._count, self._lowest, round(self._total, DIGITS), self._highest]

    def bucket(self, at_ns: int) -> Bucket:
        """See ``ChannelSums``."""
        # a mean that rounding has pushed out of its range would look like a fault
        mean = min(max(self._total / self._count, self._lowest), self._highest)
        return Bucket(at_ns, self._count, self._lowest, mean, self._highest)


class DirectionSums:
    """Sums of a direction in degrees: unit vectors, for the mean of 350 and 10 is 0."""

    __slots__ = ("_count", "_east", "_north")

    def __init__(self) -> None:
        self._count, self._east, self._north = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        """See ``ChannelSums``."""
        angle = math.radians(value)
        self._count += 1
        self._east += math.sin(angle)
        self._north += math.cos(angle)

    def merge(self, packed: list[float]) -> None:
        """See ``ChannelSums``."""
        count, east, north = packed
        self._count += int(count)
        self._east += east
        self._north += north

    def packed(self) -> list[float]:
        """Return count, and the sums of eastward and northward parts."""
        return [self._count, round(self._east, DIGITS), round(self._north, DIGITS)]

    def bucket(self, at_ns: int) -> Bucket:
        """See ``ChannelSums``."""
        is_opposed = math.hypot(self._east, self._north) <= _OPPOSED * self._count
        mean_deg = None if is_opposed else round(math.degrees(math.atan2(self._east, self._north)), 6) % 360.0
        return Bucket(at_ns, self._count, None, mean_deg, None)


class TimeSums(dict[str, ChannelSums]):
    """Sums of all channels of a series over one stretch of time."""

    def add(self, values: Mapping[str, Scalar]) -> None:
        """Take the numeric channels of one observation; one beyond ``MAX_VALUE``, or that is no number, is left out."""
        for name, value in values.items():
            if is_numeric(name, value) and abs(value) <= MAX_VALUE:  # type: ignore[arg-type]
                (self.get(name) or self._make(name)).add(float(value))

    def merge(self, packed: Mapping[str, list[float]], names: Iterable[str]) -> None:
        """Take packed sums of the channels ``names``."""
        for name in names:
            (self.get(name) or self._make(name)).merge(packed[name])

    def packed(self) -> dict[str, list[float]]:
        """Return it in numbers."""
        return {name: sums.packed() for name, sums in self.items()}

    @classmethod
    def unpacked(cls, packed: Mapping[str, list[float]]) -> Self:
        """Return what ``packed`` was made from."""
        found = cls()
        found.merge(packed, packed)
        return found

    def _make(self, name: str) -> ChannelSums:
        made: ChannelSums = DirectionSums() if name in DIRECTIONS else LineSums()
        self[name] = made
        return made
