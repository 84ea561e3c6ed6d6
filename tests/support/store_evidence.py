"""What stores hold of each stream, read by statements of the test's own: every number exactly once, or not."""

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Held:
    """What is stored of one stream.

    Attributes:
        history: how often each number is in the history.
        ledger: ranges that were acknowledged, both ends included.
        counted: the ledger's own sum of received records; None where it keeps none.
    """

    history: Counter[int] = field(default_factory=Counter)
    ledger: list[tuple[int, int]] = field(default_factory=list)
    counted: int | None = None


@dataclass(frozen=True)
class Balance:
    """Sums over all streams of numbers that went wrong; all 0 is the aim."""

    records: int
    lost: int
    doubled: int
    unwritten: int
    written_twice: int
    strange: int

    def is_exact(self) -> bool:
        """Tell whether every number is in history and ledger exactly once, and nothing else is."""
        return not any((self.lost, self.doubled, self.unwritten, self.written_twice, self.strange))


def balance(streams: dict[str, int], held: dict[str, Held]) -> Balance:
    """Compare what gateways numbered with what is stored.

    Args:
        streams: last number of each stream, by its gateway.
        held: what the stores hold.

    Returns:
        ``lost`` and ``doubled``: numbers that are missing or too often in the history; ``unwritten`` and
        ``written_twice``: the same of the ledger and of its sums; ``strange``: numbers above a stream's last, or of no
        stream.
    """
    lost = doubled = unwritten = written_twice = 0
    strange = sum(len(item.history) for name, item in held.items() if name not in streams)
    for name, last in streams.items():
        item = held.get(name, Held())
        numbers = range(1, last + 1)
        lost += sum(number not in item.history for number in numbers)
        doubled += sum(count - 1 for count in item.history.values())
        strange += sum(number not in numbers for number in item.history)
        noted = Counter(number for first, end in item.ledger for number in range(first, end + 1))
        unwritten += sum(number not in noted for number in numbers)
        written_twice += sum(count - 1 for count in noted.values())
        if item.counted is not None:
            written_twice += abs(item.counted - last)
    return Balance(sum(streams.values()), lost, doubled, unwritten, written_twice, strange)


def of_sqlite(history: Path) -> dict[str, Held]:
    """Read the embedded history."""
    connection = sqlite3.connect(f"file:{history}?mode=ro", uri=True, timeout=5)
    held: dict[str, Held] = {}
    try:
        for stream_id, seq in connection.execute("SELECT stream_id, seq FROM points JOIN streams USING (stream_ref)"):
            held.setdefault(stream_id, Held()).history[seq] += 1
        ledger = "SELECT stream_id, first_seq, last_seq FROM ledger JOIN streams USING (stream_ref)"
        for stream_id, first, last in connection.execute(ledger):
            held.setdefault(stream_id, Held()).ledger.append((first, last))
    finally:
        connection.close()
    return held
