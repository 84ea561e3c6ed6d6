"""Which changes of health are worth a record: transitions, and nothing else. Sans-io."""

from contracts.payloads import HealthEvent

MAX_SUBJECTS = 128
"""Two subjects a source (32 at most), uplink, outbox: far below; a bug must not grow the table."""


class HealthChanges:
    """Remembers what was well, by subject ("uplink", "driver/ais", …)."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def judge(self, subject: str, *, is_healthy: bool, reason: str = "") -> HealthEvent | None:
        """Return the event that a fact means, None if it is no news.

        Args:
            subject: what it is about.
            is_healthy: whether it is well.
            reason: why not, in plain words.
        """
        if self._known.get(subject) is is_healthy or (subject not in self._known and len(self._known) >= MAX_SUBJECTS):
            return None
        self._known[subject] = is_healthy
        return HealthEvent(subject=subject, is_healthy=is_healthy, reason="" if is_healthy else reason[:300])
