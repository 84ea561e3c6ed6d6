"""Batches in flight: sent, and not yet answered by the cloud. Sans-io.

What ends a flight is a receipt of the cloud, never an acknowledgement of the broker. Without a receipt the batch is
sent again after a wait that doubles, so that a cloud that is down for an hour is not met by a storm; the wait of a
batch survives a lost connection, because a flapping link must not become one either.

A batch that stays without an answer while later ones get theirs is not the cloud's silence but its own trouble (a
broker that swallows what is over its limit, a middlebox): after ``STRAGGLER_SENDS`` such sends it becomes a straggler.
It no longer counts against its lane, so it blocks nobody, and is sent again at long intervals for ever; it is never
dropped. The same becomes of a batch on which connections are cut (Mosquitto answers a message over its limit so to a
client of 3.1.1): ``lanes_policy`` sends one at a time until the one is found.
"""

from dataclasses import dataclass

from gateway.outbox.models import Lane, StoredBatch

MAX_WINDOW_BYTES = 4 * 1024 * 1024
"""Payloads held in memory by the MQTT client until the broker has them: bounds the gateway's RSS on a dead link."""
STRAGGLER_SENDS = 3
"""Sends that were passed over before it is the batch's own fault: with the default waits 35 s after the first."""
STRAGGLER_ANSWERS = 3
"""Answers to later batches that make a send passed over: one could be an answer that overtook."""
STRAGGLER_CUTS = 2
"""Connections cut while it was alone on them: the first may have been the network's."""
STRAGGLER_GAP_S = 5.0
"""Between two sends of stragglers: they may weigh 256 KiB each, and a connection that flaps makes many of them due."""
STRAGGLER_CAP_S = 900.0
"""Longest wait of a straggler: once a person has raised a broker's limit, it goes within a quarter of an hour."""
MAX_STRAGGLERS = 128
"""Stragglers at one time: every question to the store leaves them out by their ids; what comes after them stays in
the window."""


@dataclass(slots=True)
class Flight:
    """One batch in flight.

    Attributes:
        sends: how often it was sent.
        first_sent_at: monotonic s.
        answers: answers to other batches, sent after its last send.
        passed_over: sends of it that others overtook.
        is_refused: a broker said no to it; another connection may be to another broker.
        is_on_wire: it was sent on this connection.
        cuts: connections that ended while it was the only one on them.
    """

    batch_id: int
    lane: Lane
    digest: str
    size_bytes: int
    records: int
    sends: int
    first_sent_at: float
    sent_at: float
    due_at: float
    answers: int = 0
    passed_over: int = 0
    is_straggler: bool = False
    is_refused: bool = False
    is_on_wire: bool = False
    cuts: int = 0


class Window:
    """The flights.

    Args:
        timeout_s: first wait for a receipt, s.
        cap_s: longest wait, s.
    """

    def __init__(self, timeout_s: float, cap_s: float) -> None:
        self._timeout_s = timeout_s
        self._cap_s = max(timeout_s, cap_s)
        self._flights: dict[int, Flight] = {}
        self._straggler_sent_at = float("-inf")

    def ids(self) -> frozenset[int]:
        """Return the ids in flight, stragglers too."""
        return frozenset(self._flights)

    def flight(self, batch_id: int) -> Flight | None:
        """Return one flight."""
        return self._flights.get(batch_id)

    def flights(self, lane: Lane | None = None) -> list[Flight]:
        """Return the flights that count against a lane (None: all lanes), first sent first."""
        return [item for item in self._flights.values() if not item.is_straggler and lane in {None, item.lane}]

    def stragglers(self) -> list[Flight]:
        """Return the batches that stay without an answer while others get theirs."""
        return [item for item in self._flights.values() if item.is_straggler]

    def in_flight(self, lane: Lane) -> int:
        """Return how many batches count against a lane."""
        return sum(item.lane is lane and not item.is_straggler for item in self._flights.values())

    def size_bytes(self) -> int:
        """Return what is in flight, bytes, without stragglers."""
        return sum(item.size_bytes for item in self._flights.values() if not item.is_straggler)

    def sent(self, batch: StoredBatch, now: float) -> bool:
        """Note that a batch was sent (again) at ``now``; True if it is a straggler from now on."""
        flight = self._flights.get(batch.batch_id)
        if flight is None:
            flight = Flight(
                batch.batch_id, batch.lane, batch.digest, len(batch.data), batch.records, 0, now, now, now
            )  # fmt: skip
            self._flights[batch.batch_id] = flight
        has_turned = self._judge(flight)
        cap_s = STRAGGLER_CAP_S if flight.is_straggler else self._cap_s
        flight.digest, flight.size_bytes = batch.digest, len(batch.data)
        flight.sent_at = now
        flight.due_at = now + min(cap_s, self._timeout_s * 2.0 ** min(flight.sends, 32))
        flight.sends += 1
        flight.answers = 0
        flight.is_on_wire = True
        if flight.is_straggler:
            self._straggler_sent_at = now
        return has_turned

    def due(self, now: float) -> list[int]:
        """Return the ids to send again: alarms, live, backlog, each in order of sealing; no stragglers."""
        due = [item for item in self.flights() if item.due_at <= now]
        order = list(Lane)
        due.sort(key=lambda item: (order.index(item.lane), item.batch_id))
        return [item.batch_id for item in due]

    def straggler_due(self, now: float) -> int | None:
        """Return the straggler to send again, one in ``STRAGGLER_GAP_S``."""
        if now < self._straggler_sent_at + STRAGGLER_GAP_S:
            return None
        due = [item for item in self.stragglers() if item.due_at <= now]
        return min(due, key=lambda item: item.due_at).batch_id if due else None

    def answered(self, batch_id: int) -> Flight | None:
        """Note that a batch is settled by an answer; returns its flight, None if it was not in flight."""
        flight = self._flights.pop(batch_id, None)
        if flight is not None:
            for other in self._flights.values():
                other.answers += flight.sent_at >= other.sent_at
        return flight

    def demote(self, batch_id: int) -> None:
        """Make a batch a straggler: this broker does not take it, and others must not wait for it."""
        flight = self._flights.get(batch_id)
        if flight is not None:
            flight.is_refused = flight.is_straggler = True

    def gone(self, batch_id: int) -> None:
        """Note that a batch is no longer on disk."""
        self._flights.pop(batch_id, None)

    def find(self, digest: str) -> int | None:
        """Return the id of the flight with this digest."""
        return next((item.batch_id for item in self._flights.values() if item.digest == digest), None)

    def reconnected(self, now: float) -> None:
        """Make all flights due: the last connection may have swallowed them or their receipts.

        A straggler that nobody has refused waits on.
        """
        for flight in self._flights.values():
            flight.is_on_wire = False
            if flight.is_refused or not flight.is_straggler:
                flight.due_at = now

    def on_wire(self) -> list[Flight]:
        """Return what was sent on this connection and has no answer."""
        return [item for item in self._flights.values() if item.is_on_wire]

    def lost_alone(self) -> Flight | None:
        """Note that a connection was cut; returns the batch that is a straggler from now on, as it was the only one."""
        on_wire = self.on_wire()
        if len(on_wire) != 1 or on_wire[0].is_straggler:
            return None
        on_wire[0].cuts += 1
        if on_wire[0].cuts < STRAGGLER_CUTS:
            return None
        on_wire[0].is_straggler = True
        return on_wire[0]

    def wake_at(self) -> float | None:
        """Return the time of the next resend, None if nothing is in flight."""
        times = [item.due_at for item in self.flights()]
        free_at = self._straggler_sent_at + STRAGGLER_GAP_S
        times += [max(free_at, item.due_at) for item in self.stragglers()]
        return min(times, default=None)

    def _judge(self, flight: Flight) -> bool:
        """Tell whether the flight that is to be sent again becomes a straggler."""
        flight.passed_over += flight.answers >= STRAGGLER_ANSWERS
        if flight.is_straggler or flight.passed_over < STRAGGLER_SENDS or len(self.stragglers()) >= MAX_STRAGGLERS:
            return False
        flight.is_straggler = True
        return True
