"""Links: how a driver reaches its hardware."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from firmware_configs.base import Port, Profile


class SerialLink(Profile):
    """A serial port. ``parity`` N, E or O; 8 data bits, as IEC 61162-1 and Modbus RTU use."""

    kind: Literal["serial"]
    device: str
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 4800
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1


class TcpLink(Profile):
    """A TCP server to connect to."""

    kind: Literal["tcp"]
    host: str
    port: Port
    connect_timeout_s: float = Field(default=5.0, gt=0, le=60)
    silence_timeout_s: float = Field(default=60.0, gt=0, le=3600)


class UdpLink(Profile):
    """Datagrams on a local port; with ``group``, of a multicast group, on the interface with address ``interface``."""

    kind: Literal["udp"]
    bind: str = "0.0.0.0"  # noqa: S104 - a receiver of broadcast and multicast data listens on every interface
    port: Port
    group: str | None = None
    interface: str = "127.0.0.1"


class ReplayLink(Profile):
    """A recorded file.

    Attributes:
        path: the recording.
        is_timed: each line begins with its arrival time, ``seconds.fraction SPACE raw``.
        speed: multiple of the recorded pace; 0 is as fast as it goes. A recording without times is paced at
            ``lines_per_s`` times speed.
        lines_per_s: pace of a recording without times.
        repeat: begin again at the end.
    """

    kind: Literal["replay"]
    path: Path
    is_timed: bool = False
    speed: float = Field(default=1.0, ge=0, le=10_000)
    lines_per_s: float = Field(default=100.0, gt=0, le=100_000)
    repeat: bool = False


ByteLink = Annotated[SerialLink | TcpLink | UdpLink | ReplayLink, Field(discriminator="kind")]
