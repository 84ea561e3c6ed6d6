"""One limit and one value that is held against it: raised, held, cleared. Sans-io.

A value that is not known changes nothing: silence neither raises nor clears, and it counts towards no time. Neither
does a hole between two samples.
"""

from typing import NamedTuple

NS = 1_000_000_000


class Limit(NamedTuple):
    """One limit.

    Attributes:
        alarm: kind of the alarm ("crane_wind_stop", …).
        severity: "warning" or "alarm".
        unit: unit of the values.
        raise_at: a value at or beyond it raises.
        clear_at: a value inside of it clears; between the two nothing changes.
        raise_after_ns: how long a value must be beyond, ns.
        clear_after_ns: how long a value must be inside, ns.
        is_floor: values below are beyond, not values above.
    """

    alarm: str
    severity: str
    unit: str
    raise_at: float
    clear_at: float
    raise_after_ns: int
    clear_after_ns: int
    is_floor: bool = False

    def is_beyond(self, value: float) -> bool:
        """Tell whether a value raises."""
        return value <= self.raise_at if self.is_floor else value >= self.raise_at

    def is_inside(self, value: float) -> bool:
        """Tell whether a value clears."""
        return value > self.clear_at if self.is_floor else value < self.clear_at


class LimitState:
    """Whether one limit is passed.

    Args:
        limit: see there.
        hole_ns: longest step between two samples that joins them, ns.
    """

    def __init__(self, limit: Limit, hole_ns: int) -> None:
        self.limit = limit
        self.is_active = False
        self._hole_ns = hole_ns
        self._since_ns: int | None = None
        self._known_at_ns: int | None = None

    def judge(self, value: float | None, now_ns: int) -> bool:
        """Take a value in; return whether it has changed ``is_active``.

        Args:
            value: in the limit's unit, ``None`` where it is not known.
            now_ns: monotonic, ns, never falling.
        """
        limit = self.limit
        if value is None or (self._known_at_ns is not None and now_ns - self._known_at_ns > self._hole_ns):
            self._since_ns = None
        if value is None:
            return False
        self._known_at_ns = now_ns
        is_turning = limit.is_inside(value) if self.is_active else limit.is_beyond(value)
        if not is_turning:
            self._since_ns = None
            return False
        if self._since_ns is None:
            self._since_ns = now_ns
        if now_ns - self._since_ns < (limit.clear_after_ns if self.is_active else limit.raise_after_ns):
            return False
        self._since_ns = None
        self.is_active = not self.is_active
        return True
