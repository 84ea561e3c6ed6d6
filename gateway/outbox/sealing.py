"""When records are sealed, and when what was written open is joined. Sans-io.

While the uplink is hungry a group is sealed in the commit that stores it: it goes up at once, and nothing is written
twice. While it is not (down, or busy with the backlog) a group is written open, and open groups are joined when they
make a full batch: fewer and smaller batches for the same records. The urgent classes are sealed always.
"""

from contracts.records import RecordClass
from gateway.outbox.models import URGENT_CLASSES


class SealingPolicy:
    """Decides what is sealed.

    Args:
        seal_records: open records of a stream that are joined to a batch.
        seal_after_s: age of the oldest open record at which fewer are joined, s: a slow stream must not leave a row
            for each of its records.
    """

    def __init__(self, seal_records: int, seal_after_s: float) -> None:
        self._seal_records = seal_records
        self._seal_after_s = seal_after_s
        self._open: dict[int, tuple[int, float]] = {}
        self.is_hungry = False

    def is_sealed_at_once(self, record_class: RecordClass) -> bool:
        """Tell whether new records of a class are written sealed."""
        return self.is_hungry or record_class in URGENT_CLASSES

    def open_is(self, stream: int, records: int, now: float) -> None:
        """Take note that so many records of a stream lie open at ``now``."""
        if records <= 0:
            self._open.pop(stream, None)
            return
        _, since = self._open.get(stream, (0, now))
        self._open[stream] = (records, since)

    def open_records(self, stream: int) -> int:
        """Return how many records of a stream lie open."""
        return self._open.get(stream, (0, 0.0))[0]

    def open_streams(self) -> list[int]:
        """Return the streams that have open records."""
        return list(self._open)

    def due(self, now: float) -> list[int]:
        """Return the streams whose open records shall be joined and sealed now."""
        return [
            stream
            for stream, (records, since) in self._open.items()
            if records >= self._seal_records or now >= since + self._seal_after_s
        ]

    def wake_at(self) -> float | None:
        """Return the time at which the next stream is due by its age, None if nothing lies open."""
        return min((since + self._seal_after_s for _, since in self._open.values()), default=None)

    def forget(self) -> None:
        """Forget what lies open: the database was rolled back or replaced, and will be counted again."""
        self._open.clear()
