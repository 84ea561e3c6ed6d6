"""Batches of a port as they travel: positions of ships, with the sentence they came in, of twenty gateways for ever."""

import time

from contracts.batch import Batch
from contracts.payloads import Ais, AisStation
from contracts.records import Clock, ClockState, Record, RecordClass
from contracts.topics import Channel, Topic, topic
from tests.support.line_feed import numbered_lines

SITE = "puerto-demo"
GATEWAYS = 20
BATCH_RECORDS = 200
SHIPS = 50
"""Vessels that each gateway hears."""
STEP_NS = 10_000_000
"""Between two records of a gateway: a hundred a second."""
RAW_LINES = 1000
AGE_NS = 2 * 86_400 * 10**9
"""The feed begins so long ago, so that 10^7 records of it lie in the past and within every retention."""


class Feed:
    """The streams of a worker's gateways, continued for ever."""

    def __init__(self, worker: int) -> None:
        self._gateways = [f"gw-{worker}-{number:02}" for number in range(GATEWAYS)]
        self._next = [1] * GATEWAYS
        self._raw = [line.decode().strip() for line in numbered_lines(RAW_LINES)]
        self._start_ns = time.time_ns() - AGE_NS
        self._turn = 0

    def take(self, records: int) -> list[tuple[Topic, Batch]]:
        """Return the next batches, gateway by gateway, of so many records together."""
        return [self._batch() for _ in range(records // BATCH_RECORDS)]

    def _batch(self) -> tuple[Topic, Batch]:
        number = self._turn % GATEWAYS
        self._turn += 1
        first, gateway = self._next[number], self._gateways[number]
        self._next[number] += BATCH_RECORDS
        batch = Batch(
            stream_id=f"{SITE}.{gateway}.0123456789abcdef.track", record_class=RecordClass.TRACK, first_seq=first,
            last_seq=first + BATCH_RECORDS - 1,
            records=[self._record(number, seq) for seq in range(first, first + BATCH_RECORDS)],
        )  # fmt: skip
        return topic(SITE, gateway, Channel.RECORDS), batch

    def _record(self, number: int, seq: int) -> Record:
        payload = Ais(
            msg_type=1, mmsi=200_000_000 + 1000 * number + seq % SHIPS, station=AisStation.CLASS_A, sog_kn=11.5,
            cog_deg=123.4, lon_deg=round(-0.15 + seq % 100_000 * 1e-6, 6), lat_deg=round(39.6 + seq % 1000 * 1e-6, 6),
            heading_deg=124,
        )  # fmt: skip
        at_ns = self._start_ns + seq * STEP_NS + number * 7919
        return Record(
            seq=seq, observed_at_ns=at_ns, clock=Clock(ClockState.NTP, 1.0), mono_ns=seq * STEP_NS, boot_id="boot-1",
            source="ais", payload=payload, raw=self._raw[seq % RAW_LINES],
        )  # fmt: skip
