"""Counters shared between the threads of the gateway: every discard and retry has one, by a fixed name."""

import threading
from collections import Counter

MAX_NAMES = 512
"""Names are fixed words of the code and reasons of bounded sets; more than this is a bug that must not eat memory."""


class Counters:
    """Totals since the start of the process, safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()

    def add(self, name: str, amount: int = 1) -> None:
        """Add ``amount`` to ``name``; names beyond ``MAX_NAMES`` are counted together as ``other``."""
        with self._lock:
            if name not in self._totals and len(self._totals) >= MAX_NAMES:
                name = "other"
            self._totals[name] += amount

    def snapshot(self) -> dict[str, int]:
        """Return a copy of all totals."""
        with self._lock:
            return dict(self._totals)

    def total(self, name: str) -> int:
        """Return one total, 0 if it was never counted."""
        with self._lock:
            return self._totals[name]
