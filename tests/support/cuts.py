"""Batches of one stream in any cut, with any fate of each number: a strategy for tests of what keeps numbers."""

import itertools

from hypothesis import strategies as st

from contracts.batch import Batch
from contracts.records import Record
from tests.support.batches import batch, gap, of_another_writer, record

NUMBERS = 40
MAX_LENGTH = 12
REASONS = ("capacity", "damaged", "thinned")

Cut = tuple[int, list[str], bool]
"""First number of a batch, for each number "data" or the reason of its gap, and whether another writer made it."""

cuts = st.tuples(
    st.integers(1, NUMBERS),
    st.lists(st.sampled_from(["data", "data", *REASONS]), min_size=1, max_size=MAX_LENGTH),
    st.sampled_from([False, False, False, True]),
)


def make(cut: Cut) -> Batch:
    """Return the batch of a cut: neighbours lost for one reason are one gap."""
    first_seq, fates, is_other = cut
    records: list[Record] = []
    seq = first_seq
    for fate, group in itertools.groupby(fates):
        count = len(list(group))
        records += [record(seq + n) for n in range(count)] if fate == "data" else [gap(seq, seq + count - 1, fate)]
        seq += count
    made = batch(first_seq, seq - 1, records=records)
    return of_another_writer(made) if is_other else made
