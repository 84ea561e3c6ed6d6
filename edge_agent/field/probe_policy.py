"""Finds the rate of a serial line by what it says: which rate to listen at, how long, and when it is found. Sans-io.

At a wrong rate a UART still delivers bytes, but no checksum holds; one sentence in 256 of pure noise would. So two
valid sentences with more valid than not are proof, and a rate at which nothing arrives says nothing about the rate: a
line that is silent is listened to longer, at the rate it is at, before the next is tried.

*Source:* IEC 61162-1:2016 clause 5 (4,800 Bd), IEC 61162-2:1998 clause 6 (38,400 Bd): tried first.
"""

from collections import Counter
from dataclasses import dataclass, field

from edge_agent.parsers.nmea_frame import Sentence, SentenceFramer
from edge_agent.parsers.rejects import RejectLedger

RATES = (4800, 38400, 9600, 115200, 19200, 57600, 2400, 1200)
"""Every rate of ``firmware_configs.links.SerialLink``, the likeliest first."""

PROOF_SENTENCES = 2
MAX_TYPES = 64
"""Sentence types counted by name; an instrument sends about twenty. More are counted together as ``other``."""


@dataclass
class Hearing:
    """What was heard at one rate.

    Attributes:
        baud: the rate.
        heard_s: how long it was listened, s.
        size_bytes: bytes that arrived.
        valid: sentences with the right checksum.
        types: the same by address ("AIVDM"), at most ``MAX_TYPES`` and ``other``.
        errors: what was discarded, by reason; those of the UART included.
        samples: one discarded line of each reason.
    """

    baud: int
    heard_s: float = 0.0
    size_bytes: int = 0
    valid: int = 0
    types: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)

    @property
    def is_proof(self) -> bool:
        """Whether this surely is the rate."""
        return self.valid >= PROOF_SENTENCES and self.valid > sum(self.errors.values())

    @property
    def score(self) -> float:
        """Share of what arrived that is valid, 0 to 1; more is better."""
        total = self.valid + sum(self.errors.values())
        return self.valid / total if total else 0.0


class Listener:
    """Takes in the bytes of one rate.

    Args:
        baud: the rate.
    """

    def __init__(self, baud: int) -> None:
        self.hearing = Hearing(baud)
        self._ledger = RejectLedger()
        self._framer = SentenceFramer(self._ledger)
        self._is_in_step = False

    def feed(self, data: bytes, heard_s: float) -> None:
        """Take bytes in.

        Args:
            data: as read, perhaps none.
            heard_s: how long was listened so far, s.
        """
        hearing = self.hearing
        hearing.heard_s = heard_s
        hearing.size_bytes += len(data)
        if not self._is_in_step and b"\n" in data:
            # the line that was under way when listening began is nobody's fault
            data = data[data.index(b"\n") + 1 :]
            self._is_in_step = True
        if self._is_in_step:
            for sentence in self._framer.feed(data):
                self._count(sentence)
        hearing.errors = Counter(self._ledger.counts)
        hearing.samples = self._ledger.samples
        if not self._is_in_step and hearing.size_bytes:
            hearing.errors["garbage"] = 1

    def _count(self, sentence: Sentence) -> None:
        self.hearing.valid += 1
        address = sentence.fields[0].decode("ascii", "replace")
        if address not in self.hearing.types and len(self.hearing.types) >= MAX_TYPES:
            address = "other"
        self.hearing.types[address] += 1


class ProbePolicy:
    """Decides what to listen to next.

    Args:
        dwell_s: how long to listen at a rate at which something arrives, s.
        silence_s: how long to wait for a first byte before the line is called silent, s.
    """

    def __init__(self, dwell_s: float, silence_s: float) -> None:
        self._dwell_s = dwell_s
        self._silence_s = silence_s
        self.heard: list[Hearing] = []

    def is_enough(self, hearing: Hearing) -> bool:
        """Tell whether a rate has been listened to for long enough.

        Args:
            hearing: of that rate, so far.
        """
        if hearing.is_proof:
            return True
        return hearing.heard_s >= (self._dwell_s if hearing.size_bytes else self._silence_s)

    def next_rate(self) -> int | None:
        """Return the rate to listen at next, None when nothing is left to learn: found, silent, or all tried."""
        if self.heard and (self.heard[-1].is_proof or self.is_silent):
            return None
        return RATES[len(self.heard)] if len(self.heard) < len(RATES) else None

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all has arrived."""
        return bool(self.heard) and not any(hearing.size_bytes for hearing in self.heard)

    def found(self) -> Hearing | None:
        """Return what was heard at the line's rate, None where no rate gave a valid sentence.

        Of rates without proof the one with the best share wins: a line with bad checksums is still read at some rate.
        """
        best = max(self.heard, key=lambda hearing: (hearing.is_proof, hearing.score, hearing.valid), default=None)
        return best if best is not None and best.valid else None
