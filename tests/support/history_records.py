"""Records for the suite that every history is run against; times are today's, for servers drop what is too old."""

import itertools
import time
from collections.abc import Iterable

import msgspec

from cloud_api.history.models import TrackPoint
from cloud_api.history.reading import Span
from contracts.batch import Batch
from contracts.payloads import Ais, AisStation, Payload, Wind
from contracts.records import Clock, ClockState, Record, RecordClass, class_of
from tests.support.batches import batch

S = 10**9
SITE, GATEWAY = "puerto-demo", "gw-1"
MMSI = 224_000_001
START_NS = (time.time_ns() // (60 * S) - 180) * 60 * S
HOURS = Span(START_NS, START_NS + 2 * 3600 * S)
_numbers = itertools.count(1)


def record(payload: Payload, at_ns: int, source: str = "ais-1", place: str | None = None) -> Record:
    return Record(
        seq=next(_numbers), observed_at_ns=at_ns, clock=Clock(ClockState.NTP, 4.5), mono_ns=at_ns - START_NS + 1,
        boot_id="boot-1", source=source, payload=payload, place=place,
    )  # fmt: skip


def fix(at_ns: int, sog_kn: float | None = 7.5, mmsi: int = MMSI, source: str = "ais-1") -> Record:
    lon_deg = round(-3.0 + (at_ns - START_NS) / S / 1e5, 6)
    payload = Ais(
        msg_type=1, mmsi=mmsi, station=AisStation.CLASS_A, lon_deg=lon_deg, lat_deg=43.35, sog_kn=sog_kn, cog_deg=81.5,
        heading_deg=80,
    )  # fmt: skip
    return record(payload, at_ns, source)


def wind(at_ns: int, speed_mps: float, direction_deg: float = 350.0) -> Record:
    return record(Wind(speed_mps=speed_mps, direction_deg=direction_deg), at_ns, "anemometer", "mast-1")


def batches(records: Iterable[Record], gateway: str = GATEWAY) -> list[Batch]:
    """Return records as batches of a new store, one stream a class; numbers are given anew, without holes."""
    by_class: dict[RecordClass, list[Record]] = {}
    for one in records:
        by_class.setdefault(class_of(one.payload), []).append(one)
    made, store = [], f"{next(_numbers):08d}"
    for name, items in by_class.items():
        numbered = [msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(items, 1)]
        parts = [numbered[first : first + 500] for first in range(0, len(numbered), 500)]
        made += [batch(part[0].seq, part[-1].seq, f"{SITE}.{gateway}.{store}.{name}", part) for part in parts]
    return made


def points(records: Iterable[Record]) -> list[TrackPoint]:
    found = []
    for one in records:
        at = one.payload
        assert isinstance(at, Ais)
        assert at.lon_deg is not None
        assert at.lat_deg is not None
        found.append(TrackPoint(one.observed_at_ns, at.lon_deg, at.lat_deg, at.sog_kn, at.cog_deg, at.heading_deg))
    return found
