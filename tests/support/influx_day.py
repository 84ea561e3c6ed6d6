"""A large history of positions in an InfluxDB: the points that the sink would write, made faster than it makes them."""

import gzip
import urllib.parse
import urllib.request
from collections.abc import Iterator

from cloud_api.history.influx.line_protocol import LineEncoder
from cloud_api.history.influx.schema import PLACED, point_time_ns, slot_of
from cloud_api.history.models import StoredRecord
from tests.support.history_builder import FIRST_MMSI, GATEWAY, SITE, STREAM, Day
from tests.support.influx_server import InfluxServer
from tests.support.influx_sink import DATABASE

LINES_A_REQUEST = 20_000
TIMEOUT_S = 120


def build_influx(server: InfluxServer, day: Day) -> None:
    """Write a day; its first lines are checked against the product's own."""
    _check(day)
    query = urllib.parse.urlencode({"db": DATABASE, "rp": PLACED, "precision": "ns"})
    waiting: list[str] = []
    for line in _lines(day):
        waiting.append(line)
        if len(waiting) == LINES_A_REQUEST:
            _post(f"{server.url}/write?{query}", waiting)
            waiting = []
    if waiting:
        _post(f"{server.url}/write?{query}", waiting)


def _post(url: str, lines: list[str]) -> None:
    body = gzip.compress("\n".join(lines).encode(), 1)
    request = urllib.request.Request(url, data=body, headers={"Content-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        assert response.status == 204


def _check(day: Day) -> None:
    """Compare lines with those of the encoder, field by field in any order."""
    encoder, made = LineEncoder(), _lines(day)
    records = next(iter(day.batches())).records
    for record, line in zip(records[:100], made, strict=False):
        at_ns = point_time_ns(record.observed_at_ns, record.seq)
        expected = encoder.encode(StoredRecord(STREAM, SITE, GATEWAY, record), at_ns).decode()
        (head, fields, time), (own_head, own_fields, own_time) = expected.split(" "), line.split(" ")
        assert (head, sorted(fields.split(",")), time) == (own_head, sorted(own_fields.split(",")), own_time)


def _lines(day: Day) -> Iterator[str]:
    store = STREAM.partition(f"{GATEWAY}.")[2]
    heads = [
        f"ais,site={SITE},gateway={GATEWAY},stream={store},source=ais,aspect=position,"
        f"slot={slot_of(FIRST_MMSI + ship)} mmsi={FIRST_MMSI + ship}i,"
        for ship in range(day.ships)
    ]
    seq = 0
    for step in range(day.steps):
        first = day.payload(0, step)
        # one text a step: what differs from ship to ship is the sender and its longitude
        same = (
            f'msg_type=1i,station="class_a",talker="AI",channel="A",lat_deg={first.lat_deg!r},sog_kn={first.sog_kn!r},'
            f"cog_deg={first.cog_deg!r},heading_deg={first.heading_deg}i,nav_status=0i,utc_second={first.utc_second}i,"
            'clock="ntp",boot="boot-1",clock_error_ms=4.5'
        )
        lon_deg, at_ns = first.lon_deg or 0.0, day.at_ns(0, step)
        for ship, head in enumerate(heads):
            seq += 1
            own_ns = at_ns + ship * 1_000_000
            yield (
                f"{head}lon_deg={round(lon_deg + ship / 1e5, 6)!r},{same},at_ns={own_ns}i,seq={seq}i,"
                f"record_mono_ns={seq}i {point_time_ns(own_ns, seq)}"
            )
