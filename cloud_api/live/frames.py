"""Makes frames of the live picture, each once a tick however many clients stand at the same place. Sans-io."""

import msgspec

from cloud_api.fleet.views import describe_gateway
from cloud_api.live import wire
from cloud_api.live.models import Changes, Target
from cloud_api.live.picture import LivePicture
from cloud_api.live.wire import FrameKind, Section, SectionType
from cloud_api.sensors.service import describe_sensor

MAX_CACHED = 16
"""Frames kept for one tick: nearly all clients stand at the last tick, one or two behind, or need the snapshot. More
would only hold memory for single stragglers."""


class FrameComposer:
    """Frames of one picture.

    Args:
        picture: what they tell of.
        epoch: u32, random per start of the server.
    """

    def __init__(self, picture: LivePicture, epoch: int) -> None:
        self.epoch = epoch
        self._picture = picture
        self._cache: dict[int | None, bytes] = {}
        self._cache_tick = -1

    def compose(self, since: int | None, now_ns: int) -> tuple[bytes, FrameKind]:
        """Return the frame that brings a reader to the current tick.

        Args:
            since: tick that the reader stands at; None has nothing yet.
            now_ns: server time, UTC ns.

        Returns:
            The frame, and whether it is a snapshot or a delta.
        """
        changes = None if since is None else self._picture.changes_since(since)
        key = None if changes is None else since
        kind = FrameKind.SNAPSHOT if changes is None else FrameKind.DELTA
        if self._cache_tick != self._picture.tick:
            self._cache.clear()
            self._cache_tick = self._picture.tick
        frame = self._cache.get(key)
        if frame is None:
            frame = self._encode(self._picture.snapshot() if changes is None else changes, kind, now_ns)
            if len(self._cache) < MAX_CACHED:
                self._cache[key] = frame
        return frame, kind

    def _encode(self, changes: Changes, kind: FrameKind, now_ns: int) -> bytes:
        sections: list[Section] = []
        # first what is gone: a target that left and came back stands in both
        if changes.gone:
            sections.append(wire.encode_gone(changes.gone))
        if changes.rows:
            sections.append(wire.encode_targets(changes.rows, now_ns))
        json_sections: tuple[tuple[SectionType, list[object]], ...] = (
            (SectionType.STATICS, [_static_json(target) for target in changes.statics]),
            (
                SectionType.SENSORS,
                [_raw(describe_sensor(one, now_ns).model_dump_json()) for one in changes.sensors],
            ),
            (SectionType.GATEWAYS, [_raw(describe_gateway(one, now_ns).model_dump_json()) for one in changes.gateways]),
            (SectionType.SENSORS_GONE, list(changes.gone_sensors)),
            # in each frame while it is so: a reader that missed one must not take a half-filled picture for the port
            (SectionType.WARMING, [True] if self._picture.is_warming else []),
        )
        sections.extend(wire.encode_json(section, items) for section, items in json_sections if items)
        return wire.encode_frame(kind, self.epoch, changes.tick, now_ns, sections)


def _static_json(target: Target) -> msgspec.Raw:
    # kept with the target: names change once in a voyage, snapshots are made for every new client
    if target.static_json is None:
        target.static_json = msgspec.json.encode({"mmsi": target.mmsi, **target.static_values()})
    return msgspec.Raw(target.static_json)


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())
