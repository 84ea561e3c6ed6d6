"""What a driver still owes the gateway: policy of the sending end of docs/handover.md. Sans-io.

Obeys: numbers from 1 without holes; nothing numbered is forgotten before ``Stored``; after a reconnection everything
behind ``Welcome.stored_no`` is sent again. Refuses to number what would not fit: that is counted, never silent.
"""

from collections import Counter, deque
from itertools import islice

import msgspec

from contracts.errors import PeerError
from contracts.limits import MAX_RECORD_BYTES
from contracts.records import Observation
from edge_agent.handover.protocol import MAX_FRAME_BYTES, MAX_OBSERVATIONS, Observations

CAPACITY = 20_000
"""Observations kept: two minutes of a national AIS feed (150/s), some 25 MB; the gateway restarts in seconds."""

READ_ALLOWANCE = 4_096
"""Room that one read of the hardware may need: 64 KiB of the shortest sentences (17 bytes)."""

WINDOW = 2_048
"""Observations in flight: 16 frames, so that a group commit of 100 ms never stalls a feed below 20,000/s."""

_FRAME_OVERHEAD = 1_024
"""Bytes of a frame around its observations."""

_ENCODER = msgspec.json.Encoder()


class OutgoingRun:
    """Numbered observations of one run, until the gateway has stored them.

    Args:
        run_id: new at every start of the process.
        capacity: observations kept at most.
        window: observations in flight at most.
    """

    def __init__(self, run_id: str, capacity: int = CAPACITY, window: int = WINDOW) -> None:
        self._run_id = run_id
        self._capacity = capacity
        self._window = window
        self._kept: deque[tuple[Observation, int]] = deque()
        self._stored_no = 0
        self._sent_no = 0
        self._is_welcome = False
        self.rejected: Counter[str] = Counter()
        """Observations that were not numbered, and sentences left off, by reason."""

    @property
    def run_id(self) -> str:
        """Id of the run that the numbers belong to."""
        return self._run_id

    @property
    def last_no(self) -> int:
        """Number of the newest observation, 0 before the first."""
        return self._stored_no + len(self._kept)

    @property
    def stored_no(self) -> int:
        """Last number that the gateway has on disk."""
        return self._stored_no

    @property
    def pending(self) -> int:
        """Observations not stored yet."""
        return len(self._kept)

    @property
    def in_flight(self) -> int:
        """Observations sent on this connection and not stored yet."""
        return max(0, self._sent_no - self._stored_no)

    @property
    def is_welcome(self) -> bool:
        """The gateway has greeted this connection."""
        return self._is_welcome

    @property
    def has_room(self) -> bool:
        """Another read of the hardware surely fits; while not, the driver must not read."""
        return len(self._kept) + min(READ_ALLOWANCE, self._capacity // 2) <= self._capacity

    def add(self, observation: Observation) -> bool:
        """Number an observation and keep it.

        Returns:
            False where it was refused and counted: ``record_too_large`` (over ``MAX_RECORD_BYTES`` even without its
            sentence; ``raw_too_large`` counts sentences left off) or ``handover_full``.
        """
        if len(self._kept) >= self._capacity:
            self.rejected["handover_full"] += 1
            return False
        size = len(_ENCODER.encode(observation))
        if size > MAX_RECORD_BYTES and observation.raw is not None:
            self.rejected["raw_too_large"] += 1
            observation = msgspec.structs.replace(observation, raw=None)
            size = len(_ENCODER.encode(observation))
        if size > MAX_RECORD_BYTES:
            self.rejected["record_too_large"] += 1
            return False
        self._kept.append((observation, size))
        return True

    def welcome(self, stored_no: int) -> bool:
        """Begin to send on a new connection, behind what the gateway has.

        Args:
            stored_no: of ``Welcome``.

        Returns:
            False where the gateway no longer has what it had acknowledged (its database was set aside): this run
            cannot go on without a hole, ``begin_again`` with a new run id and say Hello anew.

        Raises:
            PeerError: it has more than was ever made (reason ``bad_frame``).
        """
        if stored_no < self._stored_no:
            return False
        self.store(stored_no)
        self._sent_no = self._stored_no
        self._is_welcome = True
        return True

    def begin_again(self, run_id: str) -> None:
        """Give everything that is kept the numbers from 1 of a new run.

        Args:
            run_id: of the new run.
        """
        self._run_id = run_id
        self._stored_no = 0
        self.lose()

    def lose(self) -> None:
        """Note that the connection is gone; nothing is sent before the next ``welcome``."""
        self._sent_no = self._stored_no
        self._is_welcome = False

    def store(self, stored_no: int) -> None:
        """Forget what is on the gateway's disk. A number seen before changes nothing.

        Args:
            stored_no: of ``Stored`` or ``Welcome``.

        Raises:
            PeerError: it was never made (reason ``bad_frame``).
        """
        if stored_no > self.last_no or stored_no < 0:
            cause = f"{stored_no} of {self.last_no} stored"
            raise PeerError("note stored observations", self._run_id, cause, "", "bad_frame")
        while self._stored_no < stored_no:
            self._kept.popleft()
            self._stored_no += 1
        self._sent_no = max(self._sent_no, self._stored_no)

    def next_frame(self) -> Observations | None:
        """Return what to send now, counted as sent; ``None`` while there is nothing, or the window is full."""
        if not self._is_welcome:
            return None
        start = self._sent_no - self._stored_no
        stop = min(len(self._kept), self._window, start + MAX_OBSERVATIONS)
        items = []
        space = MAX_FRAME_BYTES - _FRAME_OVERHEAD
        for observation, size in islice(self._kept, start, max(start, stop)):
            space -= size + 1
            if space < 0:
                break
            items.append(observation)
        if not items:
            return None
        first_no = self._sent_no + 1
        self._sent_no += len(items)
        return Observations(first_no=first_no, items=items)
