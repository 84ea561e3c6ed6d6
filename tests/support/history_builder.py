"""A large history of positions: every ship reports each ten seconds of a day, with one burst of speed a ship."""

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from cloud_api.history.sqlite_database import open_for_writing
from contracts.payloads import Ais, AisStation
from contracts.records import Clock, ClockState, Record

SITE, GATEWAY, STREAM = "puerto-demo", "gw-1", "puerto-demo.gw-1.abcd1234.track"
START_NS = 1_790_035_200_000_000_000
"""Midnight, UTC."""
PACE_S = 10
DAY_STEPS = 8_640
FIRST_MMSI = 224_000_000
BURST_STEP, BURST_KN = 5_000, 44.4
"""The one report at which a ship is this fast."""
ROWS_A_TRANSACTION = 200_000

_INSERT = """
    INSERT INTO points (stream_ref, seq, series_ref, observed_at_ns, clock_state, clock_error_ms, mono_ns, boot_ref,
                        payload, raw)
    VALUES (1, ?, ?, ?, 'ntp', 4.5, ?, 1, ?, '!AIVDM,1,1,,A,13aEOK?P00PD2wVMdLDRhgvL289?,0*26')
"""


def position(ship: int, step: int) -> Ais:
    """Return what a ship says at a step."""
    angle = step / 300 + ship
    return Ais(
        msg_type=1,
        mmsi=FIRST_MMSI + ship,
        station=AisStation.CLASS_A,
        talker="AI",
        channel="A",
        lon_deg=round(-0.3 + math.cos(angle) / 50, 6),
        lat_deg=round(39.4 + math.sin(angle) / 50, 6),
        sog_kn=BURST_KN if step == BURST_STEP else round(9 + 3 * math.sin(angle * 3), 1),
        cog_deg=round(math.degrees(angle) % 360, 1),
        heading_deg=int(math.degrees(angle)) % 360,
        nav_status=0,
        utc_second=step * PACE_S % 60,
    )


def observed_at_ns(ship: int, step: int) -> int:
    """Return when it said so: ships report one after the other within their ten seconds."""
    return START_NS + step * PACE_S * 10**9 + ship * 1_000_000


def records(ships: int, steps: int = DAY_STEPS) -> Iterator[Record]:
    """Yield the records in order of time."""
    seq = 0
    for step in range(steps):
        for ship in range(ships):
            seq += 1
            at_ns = observed_at_ns(ship, step)
            yield Record(
                seq=seq, observed_at_ns=at_ns, clock=Clock(ClockState.NTP, 4.5), mono_ns=at_ns - START_NS,
                boot_id="boot-1", source="ais", payload=position(ship, step),
            )  # fmt: skip


def build_sqlite(path: Path, ships: int, steps: int = DAY_STEPS) -> None:
    """Write the records as the history's writer lays them out, without its durability."""
    connection = open_for_writing(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO streams VALUES (1, ?)", (STREAM,))
        connection.execute("INSERT INTO boots VALUES (1, 'boot-1')")
        series = [(ship + 1, SITE, GATEWAY, "ais", "", "ais", "position", FIRST_MMSI + ship) for ship in range(ships)]
        connection.executemany("INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?)", series)
        for first in range(0, steps, max(1, ROWS_A_TRANSACTION // ships)):
            last = min(steps, first + max(1, ROWS_A_TRANSACTION // ships))
            _insert(connection, ships, first, last)
        last_seq = ships * steps
        connection.execute("INSERT INTO ledger VALUES (1, 1, ?, ?)", (last_seq, START_NS))
        connection.execute("INSERT INTO covered VALUES (1, 1, ?)", (last_seq,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, ships: int, first: int, last: int) -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        for step in range(first, last):
            # one text a step: what differs from ship to ship is the sender and where it is
            angle, burst = step / 300, step == BURST_STEP
            sog_kn = BURST_KN if burst else round(9 + 3 * math.sin(angle * 3), 1)
            lat, cog = round(39.4 + math.sin(angle) / 50, 6), round(math.degrees(angle) % 360, 1)
            after = (
                f',"lat_deg":{lat},"sog_kn":{sog_kn},"cog_deg":{cog},"heading_deg":{int(cog)},"nav_status":0,'
                f'"utc_second":{step * PACE_S % 60}}}'
            )
            lon, base, at_ns = -0.3 + math.cos(angle) / 50, step * ships + 1, observed_at_ns(0, step)
            for ship in range(ships):
                payload = (
                    f'{{"type":"ais","msg_type":1,"mmsi":{FIRST_MMSI + ship},"station":"class_a","talker":"AI",'
                    f'"channel":"A","lon_deg":{lon + ship / 1e5:.6f}{after}'
                )
                yield base + ship, ship + 1, at_ns + ship * 1_000_000, base + ship, payload

    connection.execute("BEGIN")
    connection.executemany(_INSERT, rows())
    connection.execute("COMMIT")
