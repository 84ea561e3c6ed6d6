"""Brings the gateway's own records to the outbox, through the same idempotent door that drivers use.

While the disk does not take them they wait here, oldest first; what no longer fits is counted.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from contracts.errors import LinkError
from contracts.payloads import Payload
from contracts.records import Observation
from edge_agent.clock import Stamper, now
from gateway.counters import Counters
from gateway.outbox.models import Appended

MAX_WAITING = 256
"""Changes of health during a failure of the disk: two hours of a driver that restarts every 30 s."""


class RecordSink(Protocol):
    """Where the records go."""

    async def append(self, source: str, run_id: str, last_no: int, observations: Sequence[Observation]) -> Appended:
        """See ``gateway.outbox.outbox.Outbox.append``."""
        ...


class Journal:
    """See the module.

    Args:
        source: source of the records.
        sink: the outbox.
        stamper: stamps them.
        counters: where what no longer fits is counted.
    """

    def __init__(self, source: str, sink: RecordSink, stamper: Stamper, counters: Counters) -> None:
        self._source = source
        self._sink = sink
        self._stamper = stamper
        self._counters = counters
        self._run_id = secrets.token_hex(8)
        self._stored_no = 0
        self._waiting: deque[Observation] = deque()
        self._sending: list[Observation] = []
        self._lock = asyncio.Lock()

    def write(self, payload: Payload) -> None:
        """Stamp a payload and let it wait for ``flush``."""
        if len(self._waiting) >= MAX_WAITING:
            self._counters.add("journal_dropped")
            return
        self._waiting.append(self._stamper.stamp(payload, None, now()))

    async def flush(self) -> bool:
        """Store what waits; False if the disk does not take it now.

        A failed attempt is repeated with the same observations and numbers, because it may have been committed.
        """
        async with self._lock:
            if not self._sending:
                self._sending = list(self._waiting)
                self._waiting.clear()
            if not self._sending:
                return True
            try:
                last_no = self._stored_no + len(self._sending)
                appended = await self._sink.append(self._source, self._run_id, last_no, self._sending)
                self._stored_no = appended.stored_no
            except LinkError:
                return False
            self._sending = []
            return True
