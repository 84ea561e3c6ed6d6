"""Messages of QoS 1 on one connection: no more without an acknowledgement than the broker takes. Sans-io.

paho would send more than the broker's receive maximum, and a broker may end the connection for that.

*Source:* MQTT 5.0 clause 3.2.2.3.3 (receive maximum) and 4.9 (flow control).
"""

from collections import deque


class Unacknowledged:
    """Those on the way, and those that wait for their turn; each has a number of ours.

    Args:
        at_once: so many may be on the way.
        capacity: so many may be on the way or wait.
    """

    def __init__(self, at_once: int, capacity: int) -> None:
        self._at_once = at_once
        self._capacity = capacity
        self._on_way: dict[int, int] = {}
        self._waiting: deque[tuple[int, str, bytes]] = deque()

    def allow(self, receive_maximum: int) -> None:
        """Take note of what the broker takes."""
        self._at_once = min(self._at_once, max(1, receive_maximum))

    def add(self, number: int, topic: str, payload: bytes) -> bool:
        """Take a message; False if there is no room for it."""
        if len(self._on_way) + len(self._waiting) >= self._capacity:
            return False
        self._waiting.append((number, topic, payload))
        return True

    def turn(self) -> tuple[str, bytes] | None:
        """Return the message whose turn it is, None if none may go."""
        return self._waiting[0][1:] if self._waiting and len(self._on_way) < self._at_once else None

    def sent(self, packet_id: int) -> None:
        """Note that the message whose turn it was went with this packet id."""
        self._on_way[packet_id] = self._waiting.popleft()[0]

    def acknowledged(self, packet_id: int) -> int:
        """Note an acknowledgement; returns the message's number, 0 if there is none."""
        return self._on_way.pop(packet_id, 0)
