"""Keeps the newest report of each gateway and says which are due to be written. Sans-io.

The clock offset of a report is (gateway's time of sending minus our time of receipt): transit time makes it too small,
never too large, so the largest of the last minute is the best estimate (as NTP's clock filter takes the sample of
least delay).

*Source:* RFC 5905 §10, clock filter algorithm.
"""

from collections import deque

from cloud_api.fleet.models import GatewayEntry
from contracts.health import GatewayStatus

WRITE_INTERVAL_NS = 5_000_000_000
"""Shortest time between two writes of one gateway: 500 gateways make 100 rows a second at most, in one transaction."""
MAX_GATEWAYS = 5_000
"""Ten times the largest fleet planned: a bound for a broker that lets anyone in."""
OFFSET_WINDOW = 12
"""Reports that the offset is taken from: a minute of reports every 5 s."""


class FleetRegistry:
    """The registry in memory."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], GatewayEntry] = {}
        self._offsets: dict[tuple[str, str], deque[float]] = {}
        self._written_ns: dict[tuple[str, str], int] = {}
        self._changed: set[tuple[str, str]] = set()
        self.refused = 0

    def restore(self, entries: list[GatewayEntry]) -> None:
        """Start from what was stored; what has been heard since is newer and stays."""
        for entry in entries[:MAX_GATEWAYS]:
            self._entries.setdefault(entry.key(), entry)

    def hear(self, status: GatewayStatus, now_ns: int) -> GatewayEntry | None:
        """Take one report.

        Args:
            status: the report.
            now_ns: UTC ns of its arrival.

        Returns:
            The entry as it is now, None if the registry is full and this gateway is not in it.
        """
        key = (status.site, status.gateway)
        known = self._entries.get(key)
        if known is None and len(self._entries) >= MAX_GATEWAYS:
            self.refused += 1
            return None
        offsets = self._offsets.setdefault(key, deque(maxlen=OFFSET_WINDOW))
        offsets.append((status.at_ns - now_ns) / 1e6)
        entry = GatewayEntry(
            status=status,
            first_seen_ns=known.first_seen_ns if known else now_ns,
            last_seen_ns=now_ns,
            clock_offset_ms=max(offsets),
        )
        self._entries[key] = entry
        self._changed.add(key)
        return entry

    def entries(self) -> list[GatewayEntry]:
        """Return all entries, by site and gateway."""
        return [self._entries[key] for key in sorted(self._entries)]

    def due(self, now_ns: int, *, is_last: bool = False) -> list[GatewayEntry]:
        """Return the entries to write now: changed, and not written in the last ``WRITE_INTERVAL_NS``.

        Args:
            now_ns: UTC ns.
            is_last: the process ends: all that is changed is due.
        """
        keys = [
            key
            for key in sorted(self._changed)
            if is_last or now_ns - self._written_ns.get(key, -WRITE_INTERVAL_NS) >= WRITE_INTERVAL_NS
        ]
        return [self._entries[key] for key in keys]

    def written(self, entries: list[GatewayEntry], now_ns: int) -> None:
        """Note that entries are stored; one that was heard again meanwhile stays changed."""
        for entry in entries:
            self._written_ns[entry.key()] = now_ns
            if self._entries.get(entry.key()) is entry:
                self._changed.discard(entry.key())
