"""What to do when a broker says no: one reaction for each MQTT 5 reason code. Sans-io.

Three things have to be told apart: a broker that asks to be spared (wait, it will be well again), a broker that does
not want *this gateway* (waiting does not help, a person must act; until then it is asked seldom), and a broker that
does not want *this batch* (the others must go on). The codes of MQTT 3.1.1 are translated by paho; where 3.1.1 is
silent, the missing receipt tells (``window``, ``silence``).

*Source:* MQTT 5.0 clause 2.4 (reason codes) and 3.2.2.2, 3.4.2.1, 3.9.3, 3.14.2.1 (where they may occur);
MQTT 3.1.1 clause 3.2.2.3.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.outbox.models import Lane

ALL_LANES = frozenset(Lane)
BACKLOG_ONLY = frozenset({Lane.BACKLOG})


class Patience(StrEnum):
    """How long to wait before the next attempt to connect."""

    WEATHER = "weather"
    """The network: full jitter from the profile's base."""
    BUSY = "busy"
    """The broker asks to be spared: full jitter from ten times the base."""
    PERSON = "person"
    """Somebody has to change something: half a minute at first, up to five minutes."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a reason code asks for.

    Attributes:
        reason: word for counters and the state of the uplink.
        hint: what a person could do.
        patience: how long to wait before the next connection.
        pause_s: first pause of ``lanes`` where the code answers a batch; doubles while it is repeated.
        lanes: which lanes pause.
        is_of_batch: it is about one batch; the others go on.
    """

    reason: str
    hint: str
    patience: Patience = Patience.WEATHER
    pause_s: float = 0.0
    lanes: frozenset[Lane] = frozenset()
    is_of_batch: bool = False


_REGISTER = "is the gateway registered at this broker, is its certificate the right one, not expired, not revoked?"
_WEATHER = "check the broker's log"
_BATCH = "the broker's limit for one message is below the gateway's batches: raise it, or lower outbox.seal_records"

_PROTOCOL = Reaction("protocol", "set uplink.protocol to what the broker speaks", Patience.PERSON)
_NOT_AUTHORISED = Reaction("not_authorised", _REGISTER, Patience.PERSON, 30.0, ALL_LANES)
_TOPIC = Reaction("topic_refused", "may this gateway publish below its own topics?", Patience.PERSON, 30.0, ALL_LANES)
_BUSY = Reaction("server_busy", "the broker is overloaded; the gateway waits", Patience.BUSY, 5.0, ALL_LANES)
_UNAVAILABLE = Reaction("server_unavailable", _WEATHER, Patience.BUSY, 5.0, ALL_LANES)
_MOVED = Reaction("server_moved", "put the broker's new address into brokers of the device profile", Patience.BUSY)
_RATE = Reaction(
    "message_rate", "lower uplink.link_bytes_per_s, or raise the broker's limit", Patience.BUSY, 5.0, BACKLOG_ONLY
)
_QUOTA = Reaction(
    "quota_exceeded", "raise the broker's quota for this gateway", Patience.BUSY, 15.0, BACKLOG_ONLY
)  # fmt: skip
_RECEIVE = Reaction(
    "receive_maximum",
    "lower uplink.window_batches below the broker's receive maximum",
    Patience.BUSY,
    5.0,
    BACKLOG_ONLY,
)
PACKET_TOO_LARGE = Reaction(
    "packet_too_large", _BATCH, Patience.WEATHER, 30.0, frozenset({Lane.LIVE, Lane.BACKLOG}), is_of_batch=True
)
"""The lanes pause only when so many batches are too large that no more can be passed over."""
_CONTENT = Reaction("payload_refused", "the broker checks payloads: switch that off", is_of_batch=True)
_OTHER = Reaction("broker_refused", _WEATHER, Patience.BUSY, 1.0, BACKLOG_ONLY, is_of_batch=True)

REACTIONS: dict[int, Reaction] = {
    0x80: _OTHER,
    0x81: _PROTOCOL,
    0x82: _PROTOCOL,
    0x83: _OTHER,
    0x84: _PROTOCOL,
    0x85: Reaction("client_id", "the broker refuses the client id: does it bind ids to certificates?", Patience.PERSON),
    0x86: _NOT_AUTHORISED,
    0x87: _NOT_AUTHORISED,
    0x88: _UNAVAILABLE,
    0x89: _BUSY,
    0x8A: Reaction("banned", "the broker has banned this gateway: ask who runs it", Patience.PERSON, 60.0, ALL_LANES),
    0x8B: Reaction("server_shutdown", _WEATHER, Patience.WEATHER),
    0x8C: _NOT_AUTHORISED,
    0x8D: Reaction("keepalive", "the link is slower than uplink.keepalive_s", Patience.WEATHER),
    0x8E: Reaction("taken_over", "another gateway uses this identity: each needs its own", Patience.PERSON),
    0x8F: _TOPIC,
    0x90: _TOPIC,
    0x91: Reaction("packet_id", _WEATHER, is_of_batch=True),
    0x93: _RECEIVE,
    0x94: _PROTOCOL,
    0x95: PACKET_TOO_LARGE,
    0x96: _RATE,
    0x97: _QUOTA,
    0x98: Reaction("administrative", "the broker's operator has ended the connection", Patience.PERSON),
    0x99: _CONTENT,
    0x9A: _PROTOCOL,
    0x9B: Reaction("qos", "the broker must take messages of QoS 1", Patience.PERSON),
    0x9C: _MOVED,
    0x9D: _MOVED,
    0x9E: _PROTOCOL,
    0x9F: Reaction("connection_rate", "the broker bears fewer arrivals: lower uplink.arrivals_per_s", Patience.BUSY),
    0xA0: Reaction("connect_time", "the broker limits the time of a connection", Patience.WEATHER),
    0xA1: _PROTOCOL,
    0xA2: _PROTOCOL,
}
"""All failure codes of MQTT 5.0 that a client can be sent; ``docs/uplink.md`` is checked against this table."""

NO_SUBSCRIBERS = 0x10
"""PUBACK of a batch that nobody has taken: the cloud is away. No failure; the receipt will be missing, which counts."""
FIRST_FAILURE = 0x80
NOT_AUTHORISED = 0x87

_PATIENCE_OF = {reaction.reason: reaction.patience for reaction in REACTIONS.values()} | {
    "own_certificate": Patience.PERSON,
    "broker_certificate": Patience.PERSON,
    "identity": Patience.PERSON,
    "tls": Patience.PERSON,
}


def reaction_of(code: int) -> Reaction:
    """Return the reaction to a reason code; a code that the standard does not know is a plain refusal."""
    return REACTIONS.get(code, _OTHER)


def patience_of(reason: str) -> Patience:
    """Return how long to wait after a connection failed or ended for ``reason``."""
    return _PATIENCE_OF.get(reason, Patience.WEATHER)
