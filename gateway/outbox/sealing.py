"""When pending records become a batch. Sans-io.

Sealed by count, by age, or at once for the urgent classes. Sealing too early costs compression, too late costs the
control room's latency; both limits are settings.
"""

from contracts.records import RecordClass
from gateway.outbox.models import URGENT_CLASSES


class SealingPolicy:
    """Decides which classes are due.

    Args:
        seal_records: records that make a full batch.
        seal_after_s: age of the oldest pending record that seals a batch that is not full, s.
    """

    def __init__(self, seal_records: int, seal_after_s: float) -> None:
        self.seal_records = seal_records
        self._seal_after_s = seal_after_s
        self._waiting: dict[RecordClass, tuple[int, float]] = {}

    def pending_is(self, record_class: RecordClass, count: int, now: float) -> None:
        """Take note that ``count`` records of a class are pending at ``now``."""
        if count <= 0:
            self._waiting.pop(record_class, None)
            return
        _, since = self._waiting.get(record_class, (0, now))
        self._waiting[record_class] = (count, since)

    def due(self, now: float) -> list[RecordClass]:
        """Return the classes whose pending records shall be sealed now, urgent ones first."""
        classes = [name for name, (count, since) in self._waiting.items() if self._is_due(name, count, since, now)]
        return sorted(classes, key=lambda name: name not in URGENT_CLASSES)

    def wake_at(self) -> float | None:
        """Return the time at which the next class is due, None if nothing is pending."""
        times = [since + self._seal_after_s for _, since in self._waiting.values()]
        return min(times, default=None)

    def forget(self) -> None:
        """Forget everything: the database was rolled back or replaced, and will be counted again."""
        self._waiting.clear()

    def _is_due(self, name: RecordClass, count: int, since: float, now: float) -> bool:
        return name in URGENT_CLASSES or count >= self.seal_records or now >= since + self._seal_after_s
