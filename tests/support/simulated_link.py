"""A gateway's lanes over a simulated link, in virtual time: one wire, first in, first out, and a cloud at its end.

The real ``Lanes`` and ``Window`` decide; what they let through waits for the wire, travels, is committed and answered.
A live batch is made at each quarter of a second; the backlog lies there from the beginning.
"""

import heapq
from dataclasses import dataclass, field

from firmware_configs.device import Uplink as UplinkSettings
from gateway.outbox.models import Lane, StoredBatch
from gateway.uplink.lanes_policy import Lanes
from gateway.uplink.window import Window
from tests.bench.figures import percentile
from tests.support.uplink_doubles import stored

LIVE_EVERY_S = 0.25
STEP_S = 0.02


@dataclass
class SimulatedLink:
    """See the module.

    Attributes:
        bytes_per_s: of the wire.
        delay_s: there and back, with the commit in the cloud.
        live_bytes: of a live batch.
        backlog_bytes: of a batch of the backlog.
        backlog_batches: at the beginning.
    """

    bytes_per_s: float
    settings: UplinkSettings
    delay_s: float = 0.1
    live_bytes: int = 900
    backlog_bytes: int = 18_000
    backlog_batches: int = 10**9
    live_s: list[float] = field(default_factory=list)
    backlog_sent: int = 0
    backlog_done: int = 0
    alarm_s: list[float] = field(default_factory=list)
    sent_bytes: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.window = Window(self.settings.receipt_timeout_s, self.settings.resend_cap_s)
        self.lanes = Lanes(self.settings, self.window)
        self.now = 0.0
        self._wire_free_at = 0.0
        self._answers: list[tuple[float, int]] = []
        self._made: dict[int, tuple[Lane, float]] = {}
        self._waiting: dict[Lane, list[int]] = {lane: [] for lane in Lane}
        self._next_id = 1
        self._next_live_at = 0.0

    def run(self, duration_s: float, *, alarm_every_s: float = 0) -> None:
        """Let time pass."""
        if self.now == 0:
            self.lanes.reconnected(0)
        end = self.now + duration_s
        next_alarm_at = self.now + alarm_every_s if alarm_every_s else float("inf")
        while self.now < end:
            self.now += STEP_S
            while self._next_live_at <= self.now:
                self._make(Lane.LIVE, self._next_live_at)
                self._next_live_at += LIVE_EVERY_S
            if self.now >= next_alarm_at:
                self._make(Lane.ALARM, self.now)
                next_alarm_at += alarm_every_s
            self._answer()
            for batch_id in self.window.due(self.now):
                if self.lanes.may_resend(batch_id, self.now):
                    self.lanes.timed_out(batch_id, self.now)
                    self._send(batch_id)
            while self._fill():
                pass

    def live_p95_s(self) -> float:
        """From the making of a live batch to its receipt; one that still waits counts with its age."""
        waiting = [self.now - self._made[number][1] for number in self._made if self._made[number][0] is Lane.LIVE]
        return percentile(self.live_s + waiting, 0.95)

    def _make(self, lane: Lane, at: float) -> None:
        self._made[self._next_id] = (lane, at)
        self._waiting[lane].append(self._next_id)
        self._next_id += 1

    def _fill(self) -> bool:
        has_sent = False
        for lane in self.lanes.order(self.now):
            count, room = self.lanes.room(lane, self.now)
            if lane is Lane.BACKLOG and count > 0 and self.backlog_sent < self.backlog_batches:
                self._make(lane, self.now)
            for taken, batch_id in enumerate(self._waiting[lane][:count]):
                size = self._size(batch_id)
                if taken and size > room:
                    break
                room -= size
                self._waiting[lane].remove(batch_id)
                self.backlog_sent += lane is Lane.BACKLOG
                self._send(batch_id)
                has_sent = True
        return has_sent

    def _send(self, batch_id: int) -> None:
        size = self._size(batch_id)
        self._wire_free_at = max(self.now, self._wire_free_at) + size / self.bytes_per_s
        heapq.heappush(self._answers, (self._wire_free_at + self.delay_s, batch_id))
        self.sent_bytes.append((self.now, size))
        self.lanes.sent(self._batch(batch_id), self.now)

    def _answer(self) -> None:
        while self._answers and self._answers[0][0] <= self.now:
            _, batch_id = heapq.heappop(self._answers)
            if batch_id not in self._made:
                continue
            lane, made_at = self._made.pop(batch_id)
            self.backlog_done += lane is Lane.BACKLOG
            if lane is Lane.LIVE:
                self.live_s.append(self.now - made_at)
            elif lane is Lane.ALARM:
                self.alarm_s.append(self.now - made_at)
            self.lanes.answered(batch_id, self.now)

    def _size(self, batch_id: int) -> int:
        return self.backlog_bytes if self._made[batch_id][0] is Lane.BACKLOG else self.live_bytes

    def _batch(self, batch_id: int) -> StoredBatch:
        return stored(batch_id, self._made[batch_id][0], self._size(batch_id))
