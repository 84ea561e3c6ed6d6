"""How many series one gateway may make: a cap against names that a gateway makes up. Sans-io.

Site and gateway are bound to a certificate; sources, places, stores and names of transducers are not, and each new one
is a series that the server keeps in memory for the whole retention. Vessels need no cap, see ``schema``.
"""

MAX_SERIES_A_DAY = 1_024
"""New series a gateway, day and worker, all vessels of a receiver counted as one: a terminal of 100 cranes has 300."""
MAX_GATEWAYS = 65_536
"""Gateways remembered: more than a national system has; beyond it the day begins anew for all."""
DAY_NS = 86_400 * 10**9


class SeriesGuard:
    """Tells whether a record's series may be made.

    Args:
        max_series: cap a gateway and UTC day.
    """

    def __init__(self, max_series: int = MAX_SERIES_A_DAY) -> None:
        self._max_series = max_series
        self._day = -1
        self._known: dict[tuple[str, str], set[tuple[str, ...]]] = {}

    def admits(self, site: str, gateway: str, series: tuple[str, ...], now_ns: int) -> bool:
        """Tell whether a series is known today or may become so.

        Args:
            site: site id.
            gateway: gateway id.
            series: what tells it from the gateway's others; without what is bounded by itself.
            now_ns: UTC ns.
        """
        day = now_ns // DAY_NS
        if day != self._day or len(self._known) > MAX_GATEWAYS:
            self._day = day
            self._known.clear()
        known = self._known.get((site, gateway))
        if known is None:
            known = self._known[(site, gateway)] = set()
        if series in known:
            return True
        if len(known) >= self._max_series:
            return False
        known.add(series)
        return True
