"""Turns observations into the bytes of batches, joins batches, and declares gaps. Sans-io.

An observation is encoded once: its number is written behind its JSON, a batch is those texts with a frame around them,
and batches that were written in small pieces are joined by their text, without decoding a record.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from contracts.batch import Batch, RawBatch
from contracts.codec import encode_batch, split_batch
from contracts.errors import PeerError
from contracts.limits import MAX_BATCH_RECORDS, MAX_DECODED_BYTES, MAX_RECORD_BYTES
from contracts.records import CLASS_OF_PAYLOAD, Observation, RecordClass
from gateway.outbox.gaps import gap_record
from gateway.outbox.models import Content

REASON_TOO_LARGE = "too_large"
REASON_DAMAGED = "damaged"
REASON_REFUSED = "refused"

MAX_TEXT_BYTES = MAX_DECODED_BYTES - 64 * 1024
"""Records of one batch as JSON: what is left of the wire's cap is the frame's, and room for gap records that thinning
puts in the place of others."""
_NUMBER_BYTES = 32
"""Room for the number of a record and what separates it from the next."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as it is stored, with what is needed to judge it; times as its oldest record gave them.

    Attributes:
        stream: key of its stream in the database.
        stream_id: name of the same.
        crc: as it was stored; ``is_intact`` compares it.
    """

    stream: int
    stream_id: str
    first_seq: int
    last_seq: int
    is_open: bool
    content: Content
    is_time_known: bool
    oldest_at_ns: int
    oldest_mono_ns: int
    boot_id: str
    crc: int
    data: bytes

    @property
    def record_class(self) -> RecordClass:
        """Class of its stream."""
        return RecordClass(self.stream_id.rpartition(".")[2])


class Tail:
    """Records that follow each other in one stream, as text, before they are a batch.

    Args:
        first_seq: number of the first that will be added.
    """

    def __init__(self, first_seq: int) -> None:
        self._pieces: list[bytes] = []
        self.first_seq = first_seq
        self.next_seq = first_seq
        self.size_bytes = 0
        self.is_time_known = True
        self.oldest_at_ns = 0
        self.oldest_mono_ns = 0
        self.boot_id = ""

    def add(self, item: Observation, body: bytes, source: str) -> bool:
        """Add an observation; one over ``MAX_RECORD_BYTES`` is replaced by a gap of one number, and False returned.

        Args:
            item: what was observed.
            body: the same as JSON.
            source: checked id of the source it came from, for the gap.
        """
        seq = self.next_seq
        is_small = len(body) <= MAX_RECORD_BYTES - _NUMBER_BYTES
        if not is_small:
            gap = gap_record(seq, seq, REASON_TOO_LARGE)
            times = {"observed_at_ns": item.observed_at_ns, "mono_ns": item.mono_ns, "boot_id": item.boot_id[:64]}
            body = _encode(msgspec.structs.replace(gap, source=source, clock=item.clock, **times))
            self._pieces.append(body)
        else:
            # the number goes behind the last field; an object of JSON has no order
            self._pieces.append(b'%b,"seq":%d}' % (body[:-1], seq))
        if seq == self.first_seq:
            self.oldest_at_ns, self.oldest_mono_ns, self.boot_id = item.observed_at_ns, item.mono_ns, item.boot_id[:64]
        elif item.observed_at_ns < self.oldest_at_ns:
            self.oldest_at_ns = item.observed_at_ns
        if not item.clock.is_believed():
            self.is_time_known = False
        self.size_bytes += len(body) + _NUMBER_BYTES
        self.next_seq = seq + 1
        return is_small

    def extend(self, items: Sequence[Observation], bodies: Sequence[bytes], source: str) -> tuple[int, int]:
        """Add the first of these observations, as many as this batch holds; see ``add``.

        What a thousand records a second cost is here, so that it is done for all of them in one go.

        Returns:
            How many were taken (at least one), and how many of them were replaced by gaps.
        """
        count = min(len(items), MAX_BATCH_RECORDS - (self.next_seq - self.first_seq))
        items, bodies = items[:count], bodies[:count]
        size_bytes = sum(map(len, bodies)) + _NUMBER_BYTES * count
        if max(map(len, bodies)) > MAX_RECORD_BYTES - _NUMBER_BYTES or self.size_bytes + size_bytes > MAX_TEXT_BYTES:
            return 1, not self.add(items[0], bodies[0], source)
        first, oldest_at_ns = items[0], min([item.observed_at_ns for item in items])
        if self.next_seq == self.first_seq:
            self.oldest_at_ns, self.oldest_mono_ns, self.boot_id = oldest_at_ns, first.mono_ns, first.boot_id[:64]
        self.oldest_at_ns = min(self.oldest_at_ns, oldest_at_ns)
        self.is_time_known = self.is_time_known and all(item.clock.is_believed() for item in items)
        self._pieces += [b'%b,"seq":%d}' % (body[:-1], seq) for seq, body in enumerate(bodies, self.next_seq)]
        self.size_bytes += size_bytes
        self.next_seq += count
        return count, 0

    def is_full(self) -> bool:
        """Tell whether the next record belongs to another batch."""
        is_long = self.size_bytes > MAX_TEXT_BYTES - MAX_RECORD_BYTES
        return is_long or self.next_seq - self.first_seq >= MAX_BATCH_RECORDS

    def pack(self, stream: int, stream_id: str, *, is_open: bool) -> list[BatchRow]:
        """Return the batch of these records, or as many as the size cap of the wire asks for."""
        return self._pack(stream, stream_id, self.first_seq, self._pieces, is_open=is_open)

    def _pack(self, stream: int, stream_id: str, first: int, pieces: list[bytes], *, is_open: bool) -> list[BatchRow]:
        last = first + len(pieces) - 1
        try:
            data = encode_batch(_raw(stream_id, first, last, b",".join(pieces)))
        except PeerError:
            # only what hardly compresses reaches the cap; a single record is far below it, so this ends
            middle = len(pieces) // 2
            if middle == 0:
                raise
            halves = ((first, pieces[:middle]), (first + middle, pieces[middle:]))
            return [row for at, part in halves for row in self._pack(stream, stream_id, at, part, is_open=is_open)]
        return [
            BatchRow(
                stream, stream_id, first, last, is_open, Content.RECORDS, self.is_time_known, self.oldest_at_ns,
                self.oldest_mono_ns, self.boot_id, crc_of(stream_id, first, last, data), data,
            )
        ]  # fmt: skip


def encode(observations: Sequence[Observation]) -> list[bytes]:
    """Return each observation as JSON, without a number: what can be done before its place is known."""
    return [_encode(item) for item in observations]


def classes_of(observations: Sequence[Observation]) -> set[RecordClass | None]:
    """Return the classes of observations; None for a gap, which has none."""
    return {CLASS_OF_PAYLOAD.get(kind) for kind in {type(item.payload) for item in observations}}


def crc_of(stream_id: str, first_seq: int, last_seq: int, data: bytes) -> int:
    """Return what a stored batch is recognised by: its name and bytes, so that neither passes for another's."""
    return zlib.crc32(data, zlib.crc32(f"{stream_id} {first_seq} {last_seq}\n".encode()))


def is_intact(row: BatchRow) -> bool:
    """Tell whether a stored batch is what was written."""
    return crc_of(row.stream_id, row.first_seq, row.last_seq, row.data) == row.crc


def pack(batch: Batch, row: BatchRow, content: Content) -> BatchRow:
    """Return the row that takes the place of ``row`` in its range, with other records.

    Args:
        batch: the new content; same stream and range.
        row: what is stored.
        content: what kind it is.
    """
    data = encode_batch(batch)
    crc = crc_of(row.stream_id, row.first_seq, row.last_seq, data)
    return replace(row, is_open=False, content=content, crc=crc, data=data)


def pack_gap(row: BatchRow, reason: str) -> BatchRow:
    """Return the batch that takes the place of ``row``: same range, one gap record that covers it."""
    record = gap_record(row.first_seq, row.last_seq, reason)
    times = {"observed_at_ns": row.oldest_at_ns, "mono_ns": row.oldest_mono_ns, "boot_id": row.boot_id}
    batch = Batch(
        stream_id=row.stream_id,
        record_class=row.record_class,
        first_seq=row.first_seq,
        last_seq=row.last_seq,
        records=[msgspec.structs.replace(record, **times)],
    )
    return pack(batch, row, Content.GAPS)


def pack_declaration(stream: int, stream_id: str, first_seq: int, last_seq: int, reason: str) -> BatchRow:
    """Return a batch that declares a range of which nothing else is left."""
    blank = BatchRow(stream, stream_id, first_seq, last_seq, False, Content.GAPS, False, 0, 0, "", 0, b"")
    return pack_gap(blank, reason)


def join(rows: Sequence[BatchRow]) -> list[tuple[list[BatchRow], BatchRow]]:
    """Join open batches of one stream into as few sealed ones as the caps of the wire allow.

    Args:
        rows: in order; only neighbours without a hole between them are joined.

    Returns:
        For each sealed batch the rows that it replaces (the first of them by its own row), and the batch. A row that
        is damaged stays as it is, alone: it is found out when it is read.
    """
    joined: list[tuple[list[BatchRow], BatchRow]] = []
    group: list[BatchRow] = []
    texts: list[bytes] = []
    for row in rows:
        text = _text_of(row)
        if group and (text is None or not _fits(group, row, sum(map(len, texts)) + len(text))):
            joined += _close(group, texts)
            group, texts = [], []
        if text is None:
            joined.append(([row], replace(row, is_open=False)))
            continue
        group.append(row)
        texts.append(text)
    return joined + _close(group, texts) if group else joined


def _close(group: list[BatchRow], texts: list[bytes]) -> list[tuple[list[BatchRow], BatchRow]]:
    alone = [([row], replace(row, is_open=False)) for row in group]
    if len(group) == 1:
        return alone
    first, last = group[0], group[-1]
    try:
        data = encode_batch(_raw(first.stream_id, first.first_seq, last.last_seq, b",".join(texts)))
    except PeerError:
        return alone  # over the cap once compressed: they go up as they are
    row = replace(
        first,
        last_seq=last.last_seq,
        is_open=False,
        is_time_known=all(item.is_time_known for item in group),
        oldest_at_ns=min(item.oldest_at_ns for item in group),
        crc=crc_of(first.stream_id, first.first_seq, last.last_seq, data),
        data=data,
    )
    return [(group, row)]


def _fits(group: list[BatchRow], row: BatchRow, size_bytes: int) -> bool:
    is_next = group[-1].last_seq + 1 == row.first_seq
    return is_next and row.last_seq - group[0].first_seq < MAX_BATCH_RECORDS and size_bytes <= MAX_TEXT_BYTES


def _text_of(row: BatchRow) -> bytes | None:
    """Return the records of a batch as text without the brackets, None if the row is damaged."""
    if not is_intact(row):
        return None
    try:
        return bytes(split_batch(row.data).records)[1:-1]
    except PeerError:
        return None


def _raw(stream_id: str, first_seq: int, last_seq: int, text: bytes) -> RawBatch:
    return RawBatch(
        stream_id=stream_id,
        record_class=RecordClass(stream_id.rpartition(".")[2]),
        first_seq=first_seq,
        last_seq=last_seq,
        records=msgspec.Raw(b"[%b]" % text),
    )
