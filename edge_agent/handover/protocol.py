"""Messages between a driver process and the gateway, and their framing. Sans-io.

A frame is a 4-byte little-endian length and that many bytes of JSON. The driver numbers its observations from 1 per
run; the gateway answers with the last number that is on its disk, and only then does the driver forget. A run sent
again after either side died is recognised by (source, run_id, number), so nothing is stored twice.
"""

import struct

import msgspec

from contracts.errors import PeerError
from contracts.payloads import Alarm
from contracts.records import Observation
from edge_agent.clock_reference import ClockReference

PROTOCOL_VERSION = 1
MAX_FRAME_BYTES = 1024 * 1024
"""Longest frame: 128 observations of the largest size."""
MAX_OBSERVATIONS = 128
"""Observations a frame: keeps a frame below ``MAX_FRAME_BYTES`` and the gateway's transaction short."""

_LENGTH = struct.Struct("<I")


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """First message of a driver: who it is and which run. ``run_id`` is new at every start of the process."""

    source: str
    run_id: str
    pid: int
    version: int = PROTOCOL_VERSION


class Observations(msgspec.Struct, frozen=True, tag="observations"):
    """Observations ``first_no``, ``first_no + 1``, … of this run, in order."""

    first_no: int
    items: list[Observation]


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat", omit_defaults=True):
    """Sent every second by the task that reads the hardware, so that a hang stops it.

    Attributes:
        is_link_up: the hardware is connected.
        pending: observations not yet stored.
        rejected: what parser and link rejected since the start, by reason (totals).
        last_error: last error in plain words, empty if none.
        clock: UTC by the GNSS receiver that this driver reads, if it is a time source and has a fix.
    """

    is_link_up: bool
    pending: int = 0
    rejected: dict[str, int] = msgspec.field(default_factory=dict)
    last_error: str = ""
    clock: ClockReference | None = None


class ActiveAlarm(msgspec.Struct, frozen=True, omit_defaults=True):
    """An alarm that was raised and not cleared, and the asset that it is about."""

    alarm: Alarm
    place: str | None = None


class Welcome(msgspec.Struct, frozen=True, tag="welcome", omit_defaults=True):
    """Answer to ``Hello``.

    Attributes:
        stored_no: last number of this run on disk (0: none); the driver sends what follows it again.
        version: of the protocol.
        active_alarms: alarms of this source that were raised and not cleared, by whichever run.
        clock: the best UTC that any driver of this gateway has from GNSS.
    """

    stored_no: int
    version: int = PROTOCOL_VERSION
    active_alarms: list[ActiveAlarm] = msgspec.field(default_factory=list)
    clock: ClockReference | None = None


class Stored(msgspec.Struct, frozen=True, tag="stored", omit_defaults=True):
    """The gateway has everything up to ``stored_no`` of this run.

    Attributes:
        stored_no: the number; the driver forgets up to it.
        clock: as in ``Welcome``.
        is_on_disk: no cut of power takes it; false: the gateway holds it in memory, because its disk takes nothing.
    """

    stored_no: int
    clock: ClockReference | None = None
    is_on_disk: bool = True


FromDriver = Hello | Observations | Heartbeat
FromGateway = Welcome | Stored

_ENCODER = msgspec.json.Encoder()
_FROM_DRIVER: msgspec.json.Decoder[FromDriver] = msgspec.json.Decoder(FromDriver)
_FROM_GATEWAY: msgspec.json.Decoder[FromGateway] = msgspec.json.Decoder(FromGateway)


def encode_frame(message: FromDriver | FromGateway) -> bytes:
    """Encode one message with its length.

    Raises:
        PeerError: it is over ``MAX_FRAME_BYTES`` (reason ``frame_too_large``).
    """
    body = _ENCODER.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise PeerError("encode hand-over frame", f"{len(body)} bytes", "over the cap", "", "frame_too_large")
    return _LENGTH.pack(len(body)) + body


def decode_from_driver(body: bytes) -> FromDriver:
    """Decode one message of a driver.

    Raises:
        PeerError: reason ``bad_frame``.
    """
    try:
        return _FROM_DRIVER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise PeerError("decode hand-over frame", f"{len(body)} bytes", str(exc), "", "bad_frame") from exc


def decode_from_gateway(body: bytes) -> FromGateway:
    """Decode one message of the gateway.

    Raises:
        PeerError: reason ``bad_frame``.
    """
    try:
        return _FROM_GATEWAY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise PeerError("decode hand-over frame", f"{len(body)} bytes", str(exc), "", "bad_frame") from exc


class FrameReader:
    """Cuts a byte stream into frame bodies; holds at most one frame.

    Feed it what was read, in chunks of any size; chunking never changes what comes out.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the bodies completed by ``data``, in order.

        Raises:
            PeerError: a frame claims over ``MAX_FRAME_BYTES`` (reason ``frame_too_large``); the stream is lost.
        """
        self._buffer += data
        bodies = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME_BYTES:
                raise PeerError("read hand-over frame", f"{length} bytes", "over the cap", "", "frame_too_large")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            bodies.append(bytes(self._buffer[_LENGTH.size : end]))
            del self._buffer[:end]
        return bodies
