"""The real outbox, disk and memory, driven through any schedule of drivers, cloud and faults against a model.

What it acts on is ``outbox_stand``, what happens to the device ``outbox_events``.
"""

import random
from collections.abc import Sequence
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from contracts.codec import decode_batch
from contracts.errors import LinkError
from contracts.receipt import Receipt
from gateway.outbox.models import Lane
from tests.support.outbox_events import EVENTS, OutboxEvents
from tests.support.outbox_feed import MAKERS
from tests.support.outbox_stand import RUNS
from tests.support.outbox_threadless import now

ROOM_BYTES = 10**6
ANSWERS = (
    "committed at once", "committed at once", "committed, late", "committed, receipt lost", "refused at once",
    "refused, late",
)  # fmt: skip


class OutboxMachine(OutboxEvents):
    """See the module."""

    only: ClassVar[Sequence[str]] = EVENTS
    """Events of this machine; a mutation proof looks where its protection is needed."""

    @rule(
        run=st.sampled_from(RUNS),
        kinds=st.lists(st.sampled_from(sorted(MAKERS)), min_size=1, max_size=24),
        is_answer_lost=st.booleans(),
    )
    def driver_sends(self, run: str, kinds: list[str], *, is_answer_lost: bool) -> None:
        """A driver sends what it has no answer for, and something new; it keeps what is not said to be stored."""
        items = self.unanswered[run] + self.make(kinds)
        before = self.hello(run)
        last_no = self.last_no[run] + len(items)
        answer = now(self.outbox.append("ais", self.run_ids[run], last_no, items))
        assert answer.stored_no == last_no
        assert answer.is_on_disk or self.is_disk_in_trouble()
        self.statistics["stored" if answer.is_on_disk else "kept in memory"] += len(items)
        for item in items[max(0, before - self.last_no[run]) :]:
            self.model.produced[self.current(item, is_on_disk=answer.is_on_disk)].append(item)
        if is_answer_lost:
            self.unanswered[run] = items
        else:
            self.unanswered[run] = []
            self.last_no[run] = last_no

    @rule(lane=st.sampled_from(list(Lane)), limit=st.integers(1, 4), answer=st.sampled_from(ANSWERS))
    def cloud_takes(self, lane: Lane, limit: int, answer: str) -> None:
        """Batches arrive and are answered; receipts come at once, or when they come, or never."""
        try:
            given = now(self.outbox.next_batches(lane, frozenset(), limit, ROOM_BYTES))
        except LinkError:
            assert self.is_disk_in_trouble()
            return
        for stored in given:
            batch = decode_batch(stored.data)
            self.statistics["given"] += 1
            is_refused = answer.startswith("refused")
            receipt = self.model.refuse(batch, stored.digest) if is_refused else self.model.take(batch)
            if answer.endswith("at once"):
                self.settle(receipt)
            elif answer.endswith("late"):
                self.receipts.append(receipt)

    @precondition(lambda self: self.receipts)
    @rule(which=st.integers(0, 10**6), is_repeated=st.booleans())
    def receipt_arrives(self, which: int, *, is_repeated: bool) -> None:
        """Any of those under way, once or more: late, out of order, after a crash, after a salvage."""
        index = which % len(self.receipts)
        self.settle(self.receipts[index] if is_repeated else self.receipts.pop(index))

    def settle(self, receipt: Receipt) -> None:
        try:
            gone = now(self.outbox.settle([(receipt, None)]))
        except LinkError:
            assert self.is_disk_in_trouble()
        else:
            self.statistics["settled" if gone else "unknown receipts"] += 1

    @rule(event=st.sampled_from(EVENTS), seed=st.integers(0, 2**32))
    def happens(self, event: str, seed: int) -> None:
        """Something happens to the device. One rule, so that drivers and cloud have their turns."""
        event = event if event in self.only else self.only[seed % len(self.only)]
        self.statistics[event] += 1
        getattr(self, event)(random.Random(seed))

    @invariant()
    def every_number_is_explained(self) -> None:
        if not hasattr(self, "root"):
            return
        self.statistics["steps"] += 1
        self.model.check(self.buffered())
