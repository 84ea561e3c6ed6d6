from contracts.batch import Batch, check_batch
from contracts.payloads import Gap
from contracts.records import Record, RecordClass, record_from
from gateway.outbox.gaps import gap_record
from gateway.outbox.salvage.overlap_policy import merge
from tests.support.gateway_records import ais

STREAM = "puerto-test.gw-1.0123456789abcdef.track"


def batch(*parts: Record) -> Batch:
    return Batch(
        stream_id=STREAM,
        record_class=RecordClass.TRACK,
        first_seq=parts[0].seq,
        last_seq=parts[-1].last_seq(),
        records=list(parts),
    )


def records(first: int, last: int) -> list[Record]:
    return [record_from(ais(seq), seq) for seq in range(first, last + 1)]


def seqs(batches: list[Batch]) -> tuple[list[int], list[tuple[int, int, str]]]:
    kept, gaps = [], []
    for item in batches:
        check_batch(item)
        for record in item.records:
            if isinstance(record.payload, Gap):
                gaps.append((record.payload.first_seq, record.payload.last_seq, record.payload.reason))
            else:
                kept.append(record.seq)
    return kept, gaps


def test_a_record_is_preferred_to_the_gap_that_took_its_place() -> None:
    thinned = batch(*records(1, 2), gap_record(3, 9, "thinned"), *records(10, 10))
    whole_part = batch(*records(3, 5))
    assert seqs(merge(thinned, whole_part)) == ([1, 2, 3, 4, 5, 10], [(6, 9, "thinned")])
    assert seqs(merge(whole_part, thinned)) == ([1, 2, 3, 4, 5, 10], [(6, 9, "thinned")])


def test_batches_that_overlap_by_their_ends_tile_the_union() -> None:
    assert seqs(merge(batch(*records(5, 400)), batch(*records(1, 300)))) == (list(range(1, 401)), [])
    gap = batch(gap_record(1, 10**9, "capacity"))
    assert seqs(merge(gap, batch(*records(7, 8)))) == ([7, 8], [(1, 6, "capacity"), (9, 10**9, "capacity")])


def test_no_piece_is_longer_than_the_wire_allows() -> None:
    pieces = merge(batch(*records(1, 500)), batch(*records(400, 800)))
    assert [(item.first_seq, item.last_seq) for item in pieces] == [(1, 250), (251, 500), (501, 750), (751, 800)]
