"""Observations for tests of the live picture and of the web server, at a fixed time."""

from typing import Any

from contracts.batch import Batch
from contracts.health import GatewayStatus, SourceStatus, StreamStatus
from contracts.payloads import Ais, AisStation, CraneSample, Payload, Wind
from contracts.records import Clock, ClockState, Record, RecordClass, class_of

NOW_NS = 1_795_489_200_000_000_000
"""2026-11-24T03:00:00Z."""
S = 1_000_000_000
STREAM = "demo.gw-1.abcdefgh.track"
CLOCK = Clock(ClockState.NTP, 2.5)


def record(payload: Payload, at_ns: int = NOW_NS, seq: int = 1, **changes: Any) -> Record:
    """Return a record of source ``ais``."""
    values: dict[str, Any] = {"source": "ais", "mono_ns": at_ns, "boot_id": "boot", "clock": CLOCK} | changes
    return Record(seq=seq, observed_at_ns=at_ns, payload=payload, **values)


def position(mmsi: int = 224_000_001, msg_type: int = 1, **changes: Any) -> Ais:
    """Return a position report."""
    values: dict[str, Any] = {
        "station": AisStation.CLASS_A,
        "lon_deg": -0.31,
        "lat_deg": 39.44,
        "sog_kn": 12.0,
        "cog_deg": 90.0,
        "heading_deg": 91,
        "nav_status": 0,
    }
    return Ais(msg_type=msg_type, mmsi=mmsi, **(values | changes))


def static(mmsi: int = 224_000_001, msg_type: int = 5, **changes: Any) -> Ais:
    """Return a static report."""
    values: dict[str, Any] = {"station": AisStation.CLASS_A, "name": "CABO DE PEÑAS", "imo": 9_811_000}
    return Ais(msg_type=msg_type, mmsi=mmsi, **(values | changes))


def wind(speed_mps: float = 7.0) -> Wind:
    """Return a wind sample."""
    return Wind(speed_mps=speed_mps, direction_deg=310.0)


def crane(load_t: float = 20.0) -> CraneSample:
    """Return a crane sample."""
    return CraneSample(hoist_load_t=load_t, is_spreader_locked=True)


def batch(records: list[Record], stream: str | None = None) -> Batch:
    """Return a sealed batch of records whose numbers run from the first one's."""
    record_class = class_of(records[0].payload)
    stream_id = stream or f"demo.gw-1.abcdefgh.{record_class.value}"
    return Batch(
        stream_id=stream_id,
        record_class=RecordClass(record_class),
        first_seq=records[0].seq,
        last_seq=records[-1].last_seq(),
        records=records,
    )


def status(gateway: str = "gw-1", at_ns: int = NOW_NS, **changes: Any) -> GatewayStatus:
    """Return a gateway's report."""
    values: dict[str, Any] = {
        "boot_id": "boot",
        "started_at_ns": at_ns - 3600 * S,
        "software": "0.1.0",
        "clock": CLOCK,
        "streams": [StreamStatus(stream_id=STREAM, next_seq=10, buffered_records=3, buffered_bytes=900)],
        "sources": [SourceStatus(source="ais", kind="nmea", state="running", last_record_at_ns=at_ns, records=9)],
        "oldest_unacknowledged_s": 0.5,
    }
    return GatewayStatus(site="demo", gateway=gateway, at_ns=at_ns, **(values | changes))
