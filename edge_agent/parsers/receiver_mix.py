"""Whether several receivers write into one stream without saying which, and how far apart they write parts.

One receiver comes to the same sequence id only after nine other messages. Two first parts under one key that close to
each other are of two receivers. In such a stream a lost part 2 of one ship and a lost part 1 of another leave two parts
that fit each other, which nobody can see; so less is believed there: no swapped parts, and no gap much shorter or
longer than those the stream itself has shown (measured: docs/adr/0070).
"""

from collections import deque
from dataclasses import dataclass, field

from edge_agent.parsers.fragment_matching import Gap

MIXED_FOR_S = 600.0
"""How long a stream counts as mixed after it was last seen to be."""

GAPS = 256
"""Newest gaps kept: from the shortest to the longest of them is the stream's habit."""

MIN_GAPS = 128
"""Fewer are no habit yet: a gap that the stream does make would be taken for impossible."""

ALLOWANCE = 0.05
"""Believed on either side of the gaps seen, as a share of the longest: lets the habit grow."""

MAX_STREAMS = 256
"""Streams remembered; the one that was quiet longest is forgotten, and counts as one receiver again."""

Stream = tuple[bytes, str | None]


@dataclass(slots=True)
class _Habit:
    mixed_until_ns: int = -1
    gaps_ns: deque[int] = field(default_factory=lambda: deque(maxlen=GAPS))


class ReceiverMix:
    """What is known of each stream.

    Args:
        window_ns: longest time between two parts of one message, ns.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._streams: dict[Stream, _Habit] = {}

    def saw_two(self, stream: Stream, now_ns: int) -> None:
        """Two messages under one key came too close for one receiver."""
        self._habit(stream).mixed_until_ns = now_ns + int(MIXED_FOR_S * 1e9)

    def saw_whole(self, stream: Stream, gaps_ns: list[int]) -> None:
        """A message was whole, with these gaps between its parts."""
        self._habit(stream).gaps_ns.extend(gaps_ns)

    def is_mixed(self, stream: Stream, now_ns: int) -> bool:
        """Tell whether several receivers write this stream."""
        habit = self._streams.get(stream)
        return habit is not None and now_ns <= habit.mixed_until_ns

    def habit(self, stream: Stream) -> Gap:
        """Believable gaps of a mixed stream."""
        gaps_ns = self._habit(stream).gaps_ns
        if len(gaps_ns) < MIN_GAPS:
            return Gap(0, self._window_ns)
        shortest_ns, longest_ns = min(gaps_ns), max(gaps_ns)
        allowed_ns = int(longest_ns * ALLOWANCE)
        return Gap(max(0, shortest_ns - allowed_ns), min(self._window_ns, longest_ns + allowed_ns))

    def _habit(self, stream: Stream) -> _Habit:
        habit = self._streams.pop(stream, None)
        if habit is None:
            habit = _Habit()
            if len(self._streams) >= MAX_STREAMS:
                del self._streams[next(iter(self._streams))]
        self._streams[stream] = habit
        return habit
