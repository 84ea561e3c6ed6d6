"""Which link serves which kind of connection."""

from collections.abc import Callable
from typing import Any

from edge_agent.links.paced_link import PacedLink
from edge_agent.links.ports import Link
from edge_agent.links.replay_link import ReplayLink
from edge_agent.links.serial_link import SerialLink
from edge_agent.links.tcp_link import TcpLink
from edge_agent.links.udp_link import UdpLink
from firmware_configs.links import ByteLink

LINKS: dict[str, Callable[[Any], Link]] = {
    "serial": SerialLink,
    "tcp": TcpLink,
    "udp": UdpLink,
    "replay": ReplayLink,
}
"""Link of each ``kind`` of profile."""


def make_link(config: ByteLink) -> Link:
    """Return a closed link for one entry of a profile: hardware is read at a bounded pace, a recording at its own."""
    link = LINKS[config.kind](config)
    return link if config.kind == "replay" else PacedLink(link)
