"""Batches of AIS positions with ascending numbers, for tests of what receives them."""

import msgspec

from contracts.batch import Batch
from contracts.payloads import Ais, AisStation, Gap, Payload
from contracts.records import Clock, ClockState, Record, RecordClass

SITE, GATEWAY, STORE = "puerto-demo", "gw-1", "abcd1234"
STREAM = f"{SITE}.{GATEWAY}.{STORE}.track"
START_NS = 1_790_000_000_000_000_000


def record(seq: int, payload: Payload | None = None, observed_at_ns: int | None = None) -> Record:
    return Record(
        seq=seq,
        observed_at_ns=START_NS + seq * 1_000_000 if observed_at_ns is None else observed_at_ns,
        clock=Clock(state=ClockState.NTP, error_ms=4.5),
        mono_ns=seq,
        boot_id="boot-1",
        source="ais",
        payload=payload or position(224_000_000 + seq % 7),
        raw=f"!AIVDM,1,1,,A,{seq},0*00",
    )


def position(mmsi: int, lon_deg: float = -3.01, lat_deg: float = 43.35) -> Ais:
    return Ais(
        msg_type=1, mmsi=mmsi, station=AisStation.CLASS_A, lon_deg=lon_deg, lat_deg=lat_deg, sog_kn=7.5, cog_deg=81.0
    )


def gap(first_seq: int, last_seq: int, reason: str = "disk_full") -> Record:
    return record(first_seq, Gap(first_seq=first_seq, last_seq=last_seq, reason=reason))


def batch(first_seq: int, last_seq: int, stream_id: str = STREAM, records: list[Record] | None = None) -> Batch:
    return Batch(
        stream_id=stream_id,
        record_class=RecordClass(stream_id.rsplit(".", 1)[-1]),
        first_seq=first_seq,
        last_seq=last_seq,
        records=[record(seq) for seq in range(first_seq, last_seq + 1)] if records is None else records,
    )


def of_another_writer(item: Batch) -> Batch:
    """Return the batch as a second gateway with a copied disk would send it: same numbers, other observations."""
    records = [msgspec.structs.replace(one, boot_id="boot-of-another") for one in item.records]
    return msgspec.structs.replace(item, records=records)
