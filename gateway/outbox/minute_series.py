"""One series of telemetry in one minute: which rows hold its extremes, and its mean. Sans-io.

A series is what one source observes at one place by one kind of payload (of a transducer: by its name and quantity).
Its rows are payloads of several quantities, so that one row may be the maximum of the wind and another that of the
gust; each is kept as it was observed. The mean is a record that was never observed: it takes the number of a row that
goes, and ``Record.mean_of`` says of how many. Directions are averaged as vectors; states and counts have no mean.
"""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from contracts.payloads import Transducer
from contracts.records import Record

MIN_RESULTANT = 1e-6
"""Length of the mean vector below which directions cancel out and have no mean."""
MEAN_DECIMALS = 7
"""1 cm of latitude; what a division adds behind it is noise that does not compress."""


def series_of(record: Record) -> tuple[object, ...]:
    """Return what tells the series of a record from others."""
    payload = record.payload
    name = (payload.name, payload.quantity, payload.unit) if isinstance(payload, Transducer) else None
    return type(payload).__name__, record.source, record.place, name


class MinuteSeries:
    """Rows of one series in one minute, fed in the order of their numbers."""

    def __init__(self) -> None:
        self._rows: list[Record] = []
        self._lowest: dict[str, tuple[float, int]] = {}
        self._highest: dict[str, tuple[float, int]] = {}
        self._states: dict[tuple[str, object], int] = {}
        self._mean: Record | None = None

    def add(self, record: Record) -> None:
        """Take a row into account."""
        if record.mean_of:
            self._mean = record
            return
        self._rows.append(record)
        for name, value in _items(record.payload):
            if isinstance(value, bool | str):
                self._states.setdefault((name, value), record.seq)
                continue
            if name not in self._lowest or value < self._lowest[name][0]:
                self._lowest[name] = value, record.seq
            if name not in self._highest or value > self._highest[name][0]:
                self._highest[name] = value, record.seq

    def kept(self) -> set[int]:
        """Return the numbers of the rows that stay as they are; of equal rows the first."""
        numbers = {seq for _, seq in (*self._lowest.values(), *self._highest.values())} | set(self._states.values())
        if not numbers:
            numbers = {row.seq for row in self._rows[:1]}
        return numbers | {self._mean.seq} if self._mean is not None else numbers

    def mean(self) -> Record | None:
        """Return the mean, in the place of the middle one of the rows that go.

        None where none goes, where it is made already, and where nothing in them has a mean.
        """
        kept = self.kept()
        going = [row for row in self._rows if row.seq not in kept]
        if self._mean is not None or not going:
            return None
        place = going[len(going) // 2]
        payload = _mean_payload([row.payload for row in self._rows])
        if not any(isinstance(value, float) for _, value in _items(payload)):
            return None
        return msgspec.structs.replace(place, payload=payload, raw=None, mean_of=len(self._rows))


def _items(payload: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """Yield each value of a payload by the name of its field, elements of lists one by one."""
    for name in payload.__struct_fields__:
        value = getattr(payload, name)
        if isinstance(value, list):
            yield from ((f"{name}[{index}]", each) for index, each in enumerate(value) if each is not None)
        elif isinstance(value, int | float | str):
            yield name, value


def _mean_payload(payloads: list[Any]) -> Any:  # noqa: ANN401 - one of the telemetry payloads, of the type of the rows
    changed: dict[str, Any] = {}
    for name in payloads[0].__struct_fields__:
        values = [getattr(each, name) for each in payloads]
        present = [value for value in values if value is not None]
        if any(isinstance(value, list) for value in present):
            width = max(len(value) for value in present)
            columns = [[value[index] for value in present if index < len(value)] for index in range(width)]
            changed[name] = [_mean_value(name, column) for column in columns]
        elif len(present) < 1 or isinstance(present[0], str):
            changed[name] = present[0] if present and len(set(present)) == 1 else None
        else:
            changed[name] = _mean_value(name, present)
    return msgspec.structs.replace(payloads[0], **changed)


def _mean_value(name: str, values: list[Any]) -> float | None:
    """Return the mean of one quantity; None of states, counts and times of day, and of directions that cancel out."""
    numbers = [value for value in values if isinstance(value, float)]
    if not numbers or name.startswith("utc_"):
        return None
    if not name.endswith("_deg") or name in ("lon_deg", "lat_deg"):
        mean = round(math.fsum(numbers) / len(numbers), MEAN_DECIMALS)
        return min(max(mean, min(numbers)), max(numbers))
    east = math.fsum(math.sin(math.radians(value)) for value in numbers) / len(numbers)
    north = math.fsum(math.cos(math.radians(value)) for value in numbers) / len(numbers)
    if math.hypot(east, north) < MIN_RESULTANT:
        return None
    return round(math.degrees(math.atan2(east, north)), MEAN_DECIMALS) % 360.0
