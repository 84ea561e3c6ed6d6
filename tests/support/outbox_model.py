"""The list that an outbox is held against: every number of every stream, and what became of it."""

from collections import defaultdict
from dataclasses import dataclass, field

from contracts.batch import Batch
from contracts.payloads import Gap
from contracts.receipt import Outcome, Receipt
from contracts.records import Observation, Record


@dataclass
class CloudStream:
    """What the cloud has of one stream: data win over a declared gap."""

    has: dict[int, Record] = field(default_factory=dict)
    gaps: dict[int, str] = field(default_factory=dict)


class Model:
    """What was produced, and the cloud's side.

    Attributes:
        produced: observations of each stream, in the order of their numbers, from 1.
        is_damaged: files were damaged: numbers may be declared so, and some may be declared that never were.
        cloud: by stream id.
        refusals: numbers of declarations that the cloud refused: a hole that it sees, and says.
        refused: numbers of records that the cloud refused.
        lost_from: streams that were in memory when the process ended: their numbers below are known to the note beside
            the database and must be declared; of those from it on only the cloud's alarm over a hole can tell.
    """

    def __init__(self) -> None:
        self.produced: dict[str, list[Observation]] = defaultdict(list)
        self.is_damaged = False
        self.cloud: dict[str, CloudStream] = defaultdict(CloudStream)
        self.refusals: dict[str, set[int]] = defaultdict(set)
        self.refused: dict[str, set[int]] = defaultdict(set)
        self.lost_from: dict[str, int] = {}

    def ring_was_lost(self, noted: dict[str, int]) -> None:
        """Take note that what was in memory went with the process.

        Args:
            noted: next number of each stream by the last note.
        """
        self.lost_from |= noted

    def take(self, batch: Batch) -> Receipt:
        """Commit a batch and return its receipt."""
        stream = self.cloud[batch.stream_id]
        for record in batch.records:
            if isinstance(record.payload, Gap):
                for seq in range(record.seq, record.last_seq() + 1):
                    stream.gaps.setdefault(seq, record.payload.reason)
            else:
                known = stream.has.setdefault(record.seq, record)
                assert known.observed_at_ns == record.observed_at_ns or record.mean_of or known.mean_of
        return _receipt(batch, Outcome.COMMITTED)

    def refuse(self, batch: Batch, digest: str) -> Receipt:
        """Refuse a batch and return the receipt."""
        is_declaration = all(isinstance(record.payload, Gap) for record in batch.records)
        numbers = self.refusals if is_declaration else self.refused
        numbers[batch.stream_id].update(range(batch.first_seq, batch.last_seq + 1))
        return _receipt(batch, Outcome.REFUSED, digest)

    def check(self, on_disk: dict[str, list[Batch]]) -> None:
        """Hold every number to be exactly one of: received, buffered, declared given up with a reason.

        Args:
            on_disk: what lies in the database, by stream.

        Raises:
            AssertionError: one is none of them, or is not the record that it was given to.
        """
        for stream_id in {*self.produced, *on_disk}:
            buffered: dict[int, Record] = {}
            gaps: dict[int, str] = dict(self.cloud[stream_id].gaps)
            seen: set[int] = set()
            for batch in on_disk.get(stream_id, []):
                for record in batch.records:
                    numbers = range(record.seq, record.last_seq() + 1)
                    assert seen.isdisjoint(numbers), f"{stream_id} {record.seq} lies here twice"
                    seen.update(numbers)
                    if isinstance(record.payload, Gap):
                        for seq in numbers:
                            gaps.setdefault(seq, record.payload.reason)
                    else:
                        buffered[record.seq] = record
            self._check_stream(stream_id, buffered, gaps)

    def _check_stream(self, stream_id: str, buffered: dict[int, Record], gaps: dict[int, str]) -> None:
        produced = self.produced[stream_id]
        received = self.cloud[stream_id].has
        for seq, item in enumerate(produced, 1):
            record = received.get(seq) or buffered.get(seq)
            if record is not None:
                assert record.mean_of or record.observed_at_ns == item.observed_at_ns, f"{stream_id} {seq} is another"
                assert record.mean_of or record.payload == item.payload, (
                    f"{stream_id} {seq} is not what was handed over"
                )
            elif seq in gaps:
                assert self._may_be(stream_id, seq, gaps[seq]), f"{stream_id} {seq} was declared {gaps[seq]}"
            elif seq not in self.refusals[stream_id]:
                assert seq >= self.lost_from.get(stream_id, seq + 1), f"nobody explains {stream_id} {seq}"
        beyond = [seq for seq in (*received, *buffered) if seq > len(produced)]
        beyond += [seq for seq in gaps if seq > len(produced) and not self.is_damaged]
        assert not beyond, f"{stream_id} {beyond[:5]} were never produced"

    def _may_be(self, stream_id: str, seq: int, reason: str) -> bool:
        if reason == "refused":
            return seq in self.refused[stream_id]
        if reason == "damaged":
            return self.is_damaged
        if reason == "ring_lost":
            return stream_id in self.lost_from
        if reason == "ring_overflow":
            return True
        return reason in ("capacity", "thinned") and not stream_id.endswith(".alarm")


def _receipt(batch: Batch, outcome: Outcome, digest: str = "") -> Receipt:
    return Receipt(
        outcome=outcome, stream_id=batch.stream_id, first_seq=batch.first_seq, last_seq=batch.last_seq, digest=digest
    )
