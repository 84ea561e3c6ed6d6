"""Which series a record belongs to, and the numbers that stand for series, streams and boots on disk."""

import sqlite3
from functools import cache
from typing import NamedTuple

from cloud_api.sensor_names import sensor_key
from contracts.payload_base import PayloadBase
from contracts.payloads import Ais
from contracts.records import Record

MAX_CACHED_REFS = 65_536
"""References kept in memory: three a vessel for 20,000 vessels; beyond it the cache is emptied and read again."""

POSITION_ASPECTS = ("position", "both")


class SeriesKey(NamedTuple):
    """Identity of a series; '' and 0 stand for none."""

    site: str
    gateway: str
    source: str
    place: str
    kind: str
    aspect: str
    mmsi: int


_KEYS = {
    "stream": ("streams", ("stream_id",)),
    "boot": ("boots", ("boot_id",)),
    "series": ("series", SeriesKey._fields),
}
_STATEMENTS = {
    what: (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT DO NOTHING",  # noqa: S608 - our names
        f"SELECT {what}_ref FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in names)}",  # noqa: S608 - our names
    )
    for what, (table, names) in _KEYS.items()
}
"""How a reference is made and found; SQLite counts them from 1."""


def series_key(site: str, gateway: str, record: Record) -> SeriesKey:
    """Return the series of a record of a gateway."""
    payload = record.payload
    kind = kind_of(type(payload))
    if isinstance(payload, Ais):
        aspect, mmsi = ais_aspect(payload), payload.mmsi
    else:
        # a device with several transducers has as many series: the aspect is the name
        aspect, mmsi = sensor_key(kind, payload).partition(".")[2], 0
    return SeriesKey(site, gateway, record.source, record.place or "", kind, aspect, mmsi)


@cache
def kind_of(payload: type[PayloadBase]) -> str:
    """Return the word on the wire for a type of payload; there are a score of them."""
    return str(payload.__struct_config__.tag)


def ais_aspect(payload: Ais) -> str:
    """Tell what an AIS message is about: ``position``, ``static``, ``both``, or ``other``.

    Kept apart so that the newest static data of a vessel is found although positions come a hundred times as often.
    """
    has_position = payload.lon_deg is not None and payload.lat_deg is not None
    has_static = payload.name is not None or payload.callsign is not None or payload.to_bow_m is not None
    if has_position:
        return "both" if has_static else "position"
    return "static" if has_static else "other"


class ReferenceCache:
    """Numbers of streams, boots and series, made on first sight inside the caller's transaction.

    Whoever rolls a transaction back must call ``clear``: it may hold numbers that no longer exist.
    """

    def __init__(self) -> None:
        # apart, so that looking one up needs no key to be made: it happens twice a record
        self._streams: dict[str, int] = {}
        self._boots: dict[str, int] = {}
        self._series: dict[SeriesKey, int] = {}

    def clear(self) -> None:
        """Forget everything."""
        for refs in (self._streams, self._boots, self._series):
            refs.clear()

    def stream(self, connection: sqlite3.Connection, stream_id: str) -> int:
        """Return the number of a stream."""
        ref = self._streams.get(stream_id)
        if ref is None:
            ref = self._make(connection, "stream", (stream_id,))
            self._streams[stream_id] = ref
        return ref

    def boot(self, connection: sqlite3.Connection, boot_id: str) -> int:
        """Return the number of a boot."""
        ref = self._boots.get(boot_id)
        if ref is None:
            ref = self._make(connection, "boot", (boot_id,))
            self._boots[boot_id] = ref
        return ref

    def series(self, connection: sqlite3.Connection, key: SeriesKey) -> int:
        """Return the number of a series."""
        ref = self._series.get(key)
        if ref is None:
            ref = self._make(connection, "series", key)
            self._series[key] = ref
        return ref

    def _make(self, connection: sqlite3.Connection, what: str, key: tuple[object, ...]) -> int:
        insert, select = _STATEMENTS[what]
        connection.execute(insert, key)
        (ref,) = connection.execute(select, key).fetchone()
        if len(self._streams) + len(self._boots) + len(self._series) >= MAX_CACHED_REFS:
            self.clear()
        return int(ref)
