"""When a connection on which no receipt comes is given up. Sans-io.

A broker of MQTT 3.1.1 cannot say why it does not pass a batch on: it acknowledges and drops, or keeps silent. What
tells is the receipt that does not come although the connection holds. The cloud may be away too, so the first
silences end the connection seldom: after two minutes, then four, up to an hour.
"""

NOTICE_S = 30.0
"""From here on the silence is shown: three resends have gone unanswered."""
FIRST_LIMIT_S = 120.0
MAX_LIMIT_S = 3600.0


class Silence:
    """See the module."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._limit_s = FIRST_LIMIT_S

    def connected(self) -> None:
        """Begin anew on a new connection."""
        self._since = None

    def sent(self, now: float) -> None:
        """Note that a batch was sent."""
        if self._since is None:
            self._since = now

    def answered(self) -> None:
        """Note that the cloud has answered anything."""
        self._since = None
        self._limit_s = FIRST_LIMIT_S

    def is_noticed(self, now: float) -> bool:
        """Tell whether the silence is long enough to be shown."""
        return self._since is not None and now - self._since >= NOTICE_S

    def is_over_limit(self, now: float) -> bool:
        """Tell whether the connection should be given up; each time the next limit is twice as long."""
        if self._since is None or now - self._since < self._limit_s:
            return False
        self._limit_s = min(MAX_LIMIT_S, 2 * self._limit_s)
        self._since = None
        return True
