"""A gateway, a link that delays, doubles and loses, and a cloud, in virtual time: what the accounting must see through.

It keeps the product's one rule: the gateway forgets a batch on a receipt only, and a receipt follows a commit. A test
breaks the rule on purpose (``forge_receipt``) and the accounting must find out.
"""

import heapq
import random
from collections.abc import Callable

from cloud_api.accounting.models import GatewayStanding, Moment
from cloud_api.accounting.policy import Accountant
from cloud_api.history.models import SeqRange, StreamBalance
from cloud_api.history.ranges import intersect, merge, subtract, total
from contracts.health import GatewayStatus, StreamStatus
from tests.support.batches import START_NS, STREAM
from tests.support.statuses import status

REPORT_S, LOOK_S, RESEND_S = 5.0, 5.0, 10.0


class AccountedPort:
    """One stream of one gateway; ``run`` lets time pass.

    Args:
        seed: of all chance.
        loss: share of messages, of any kind, that the link loses.
        max_delay_s: of a message, s; later ones overtake.
        says_ranges: the gateway says what it holds, as since this version.
    """

    def __init__(self, seed: int, loss: float = 0.2, max_delay_s: float = 4.0, *, says_ranges: bool = True) -> None:
        self.random = random.Random(seed)
        self.loss, self.max_delay_s, self.says_ranges = loss, max_delay_s, says_ranges
        self.now_s = 0.0
        self.next_seq = 1
        self.waiting: dict[SeqRange, float] = {}
        self.covered: list[SeqRange] = []
        self._lost: set[SeqRange] = set()
        self.is_reporting = self.is_listed = True
        self.accountant = Accountant()
        self.standings: list[GatewayStanding] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        for step in (self._produce, self._report, self._look):
            self._at(0.0, step)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.now_s + seconds
        while self._events and self._events[0][0] <= end_s:
            self.now_s, _, event = heapq.heappop(self._events)
            event()
        self.now_s = end_s

    def forge_receipt(self) -> SeqRange:
        """Make the gateway forget the newest batch that the cloud has not, once there is one, and return its range."""
        while not (absent := [one for one in self.waiting if not intersect([one], self.covered)]):
            self.run(0.1)
        lost = max(absent)
        del self.waiting[lost]
        # copies under way are lost with it
        self._lost.add(lost)
        return lost

    def commit(self, sealed: SeqRange) -> None:
        """Let the cloud have a range."""
        self.covered = merge([*self.covered, sealed])

    def standing(self) -> GatewayStanding:
        """The gateway at the last look."""
        (found,) = self.standings
        return found

    def _produce(self) -> None:
        length = self.random.randint(1, 40)
        sealed = SeqRange(self.next_seq, self.next_seq + length - 1)
        self.next_seq += length
        self.waiting[sealed] = self.now_s
        self._send(sealed)
        self._at(self.random.uniform(0.2, 1.5), self._produce)

    def _send(self, sealed: SeqRange) -> None:
        if sealed in self.waiting:
            self._through_link(lambda: self._commit(sealed))
            self._at(RESEND_S, lambda: self._send(sealed))

    def _commit(self, sealed: SeqRange) -> None:
        if sealed not in self._lost:
            self.commit(sealed)
            self._through_link(lambda: self._forget(sealed))

    def _forget(self, sealed: SeqRange) -> None:
        self.waiting.pop(sealed, None)

    def _report(self) -> None:
        if self.is_reporting:
            told = self._status()
            self._through_link(lambda: self.accountant.hear(told, START_NS + int(self.now_s * 1e9)))
        self._at(REPORT_S, self._report)

    def _status(self) -> GatewayStatus:
        held = merge(self.waiting)
        stream = StreamStatus(
            stream_id=STREAM if self.is_listed else STREAM.replace("abcd1234", "fresh000"),
            next_seq=self.next_seq if self.is_listed else 1,
            buffered_records=total(held),
            buffered_ranges=[(one.first_seq, one.last_seq) for one in held] if self.says_ranges else None,
        )
        return GatewayStatus(**{name: getattr(status(), name) for name in GatewayStatus.__struct_fields__} | {
            "streams": [stream]})  # fmt: skip

    def _look(self) -> None:
        reports = self.accountant.reports()
        covered = list(self.covered)
        balance = StreamBalance(STREAM, covered[-1].last_seq if covered else 0, total(covered), {}, covered)
        moment = Moment(START_NS + int(self.now_s * 1e9), self.now_s)
        self.standings = self.accountant.judge(reports, [balance] if covered else [], moment)
        for one in (stream for standing in self.standings for stream in standing.streams):
            assert one.produced == one.received + one.buffered + one.unexplained
        self._at(LOOK_S, self._look)

    def absent(self) -> list[SeqRange]:
        """What the cloud has not of what was produced."""
        return subtract([SeqRange(1, self.next_seq - 1)], self.covered)

    def _through_link(self, arrive: Callable[[], None]) -> None:
        for _ in range(self.random.choice((1, 1, 1, 2))):
            if self.random.random() >= self.loss:
                self._at(self.random.uniform(0.01, self.max_delay_s), arrive)

    def _at(self, delay_s: float, event: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now_s + delay_s, self._count, event))
