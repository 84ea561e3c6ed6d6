"""A large history of positions: ships that report each ten seconds of a day, each with one burst of speed."""

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cloud_api.history.reading import Span
from cloud_api.history.sqlite_database import open_for_writing
from contracts.batch import Batch
from contracts.payloads import Ais, AisStation
from contracts.records import Clock, ClockState, Record, RecordClass

SITE, GATEWAY, STREAM = "puerto-demo", "gw-1", "puerto-demo.gw-1.abcd1234.track"
PACE_S = 10
DAY_STEPS = 8_640
FIRST_MMSI = 224_000_000
BURST_KN = 44.4
"""The speed of each ship's one burst, half-way through."""
BATCH = 500
ROWS_A_TRANSACTION = 200_000

_INSERT = """
    INSERT INTO points (stream_ref, seq, series_ref, observed_at_ns, clock_state, clock_error_ms, mono_ns, boot_ref,
                        payload)
    VALUES (1, ?, ?, ?, 'ntp', 4.5, ?, 1, ?)
"""


@dataclass(frozen=True)
class Day:
    """A day of some ships.

    Attributes:
        ships: how many.
        start_ns: its begin, UTC ns.
        steps: reports of each ship.
    """

    ships: int
    start_ns: int
    steps: int = DAY_STEPS

    @property
    def span(self) -> Span:
        """All of it."""
        return Span(self.start_ns, self.start_ns + self.steps * PACE_S * 10**9 - 1)

    @property
    def positions(self) -> int:
        """How many positions it has."""
        return self.ships * self.steps

    def at_ns(self, ship: int, step: int) -> int:
        """Return when a ship reports: one after the other within their ten seconds."""
        return self.start_ns + step * PACE_S * 10**9 + ship * 1_000_000

    def payload(self, ship: int, step: int) -> Ais:
        """Return what a ship reports."""
        angle = step / 300
        course_deg = round(math.degrees(angle) % 360, 1)
        return Ais(
            msg_type=1,
            mmsi=FIRST_MMSI + ship,
            station=AisStation.CLASS_A,
            talker="AI",
            channel="A",
            lon_deg=round(-0.3 + math.cos(angle) / 50 + ship / 1e5, 6),
            lat_deg=round(39.4 + math.sin(angle) / 50, 6),
            sog_kn=BURST_KN if step == self.steps // 2 else round(9 + 3 * math.sin(angle * 3), 1),
            cog_deg=course_deg,
            heading_deg=int(course_deg),
            nav_status=0,
            utc_second=step * PACE_S % 60,
        )

    def batches(self) -> Iterator[Batch]:
        """Yield all of it as batches of one stream, in order of time."""
        records: list[Record] = []
        seq = 0
        for step in range(self.steps):
            for ship in range(self.ships):
                seq += 1
                at_ns = self.at_ns(ship, step)
                records.append(
                    Record(
                        seq=seq, observed_at_ns=at_ns, clock=Clock(ClockState.NTP, 4.5), mono_ns=seq,
                        boot_id="boot-1", source="ais", payload=self.payload(ship, step),
                    )
                )  # fmt: skip
                if len(records) == BATCH:
                    yield self._batch(records)
                    records = []
        if records:
            yield self._batch(records)

    def _batch(self, records: list[Record]) -> Batch:
        return Batch(
            stream_id=STREAM, record_class=RecordClass.TRACK, first_seq=records[0].seq, last_seq=records[-1].seq,
            records=records,
        )  # fmt: skip


def build_sqlite(path: Path, day: Day) -> None:
    """Write a day as the history's writer lays it out, without its durability: ten times as fast."""
    connection = open_for_writing(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO streams VALUES (1, ?)", (STREAM,))
        connection.execute("INSERT INTO boots VALUES (1, 'boot-1')")
        series = [
            (ship + 1, SITE, GATEWAY, "ais", "", "ais", "position", FIRST_MMSI + ship) for ship in range(day.ships)
        ]
        connection.executemany("INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?)", series)
        steps = max(1, ROWS_A_TRANSACTION // day.ships)
        for first in range(0, day.steps, steps):
            _insert(connection, day, range(first, min(day.steps, first + steps)))
        connection.execute("INSERT INTO ledger VALUES (1, 1, ?, ?)", (day.positions, day.start_ns))
        connection.execute("INSERT INTO covered VALUES (1, 1, ?)", (day.positions,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, day: Day, steps: range) -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        for step in steps:
            # one text a step: what differs from ship to ship is the sender and its longitude
            first = day.payload(0, step)
            before = '{"type":"ais","msg_type":1,"mmsi":'
            between = ',"station":"class_a","talker":"AI","channel":"A","lon_deg":'
            after = (
                f',"lat_deg":{first.lat_deg},"sog_kn":{first.sog_kn},"cog_deg":{first.cog_deg},'
                f'"heading_deg":{first.heading_deg},"nav_status":0,"utc_second":{first.utc_second}}}'
            )
            lon_deg, seq, at_ns = first.lon_deg or 0.0, step * day.ships + 1, day.at_ns(0, step)
            for ship in range(day.ships):
                payload = f"{before}{FIRST_MMSI + ship}{between}{lon_deg + ship / 1e5:.6f}{after}"
                yield seq + ship, ship + 1, at_ns + ship * 1_000_000, seq + ship, payload

    connection.execute("BEGIN")
    connection.executemany(_INSERT, rows())
    connection.execute("COMMIT")
