"""Lines of text from berth cabinets and tide gauges. Sans-io.

Two protocols; README.md of the driver ``berth_ascii`` describes them for the technician:

    $PMHT,<first hook>,<kN>,<kN>,…*hh       tensions of hooks in order; an empty field: no reading
    $PDLR,<laser>,<m>,<m/s>,<A|V>*hh        a docking laser: distance, speed of approach, valid or not
    +0.532 m                                a tide gauge: level above its zero; the unit may be left out

Sentences obey the framing of IEC 61162-1 (``$``, checksum, CR LF) and are refused without a matching checksum. Levels
carry none: a line must be a number of metres with one to four decimals and nothing else, so that a line of which the
beginning was lost (``.532 m``, ``32 m``) is refused and not read as another level. A value that the hardware cannot
have is null and counted; nothing is dropped without a count.
"""

import re
from functools import reduce
from operator import xor
from typing import NamedTuple

from edge_agent.parsers.rejects import RejectLedger

MAX_LINE_BYTES = 160
"""A sentence of 16 hooks is 120 bytes; anything longer is a line at the wrong speed."""
MAX_HOOKS = 32
MAX_LASERS = 4
MAX_TENSION_KN = 3000.0
MAX_DISTANCE_M = 500.0
MAX_SPEED_MPS = 5.0
MAX_LEVEL_M = 20.0

_LEVEL = re.compile(r"^([+-]?\d{1,2}\.\d{1,4})(?: ?m)?$")
_SENTENCE = re.compile(r"^\$([A-Z]{4}),([^*$]*)\*([0-9A-Fa-f]{2})$")
_NUMBER = re.compile(r"^[+-]?\d{1,5}(?:\.\d{1,4})?$")
_LASER_FIELDS = 4


class Hooks(NamedTuple):
    """Tensions kN of hooks from number ``first``, counted from 1."""

    first: int
    tensions_kn: list[float | None]
    raw: str


class Laser(NamedTuple):
    """A docking laser, counted from 1: distance m and speed of approach m/s, ``None`` without a target."""

    number: int
    distance_m: float | None
    approach_mps: float | None
    raw: str


class Level(NamedTuple):
    """Height of the water above the gauge's zero, m."""

    level_m: float
    raw: str


Reading = Hooks | Laser | Level


class BerthAsciiParser:
    """Lines in, readings out; chunking never changes what comes out.

    Args:
        is_level: the lines are levels, else sentences.

    Attributes:
        rejects: what was discarded.
    """

    def __init__(self, *, is_level: bool) -> None:
        self._is_level = is_level
        self._line = bytearray()
        self._is_skipping = False
        self.rejects = RejectLedger()

    def feed(self, data: bytes) -> list[Reading]:
        """Return the readings of the lines that ``data`` completes, in order.

        Args:
            data: what was read, in chunks of any size.
        """
        readings = []
        *lines, rest = data.replace(b"\r", b"\n").split(b"\n")
        for part in lines:
            self._append(part)
            if self._line and not self._is_skipping:
                reading = self._read(bytes(self._line))
                if reading is not None:
                    readings.append(reading)
            self._line.clear()
            self._is_skipping = False
        self._append(rest)
        return readings

    def close(self) -> None:
        """Count a line that the link cut."""
        if self._line:
            self.rejects.add("cut_sentence", bytes(self._line))
        self._line.clear()
        self._is_skipping = False

    def _append(self, part: bytes) -> None:
        if self._is_skipping:
            return
        self._line += part
        if len(self._line) > MAX_LINE_BYTES:
            self.rejects.add("too_long", bytes(self._line))
            self._line.clear()
            self._is_skipping = True

    def _read(self, line: bytes) -> Reading | None:
        try:
            text = line.decode("ascii")
        except UnicodeDecodeError:
            text = ""
        if not text.isprintable() or not text:
            self.rejects.add("bad_character", line)
            return None
        reading = self._read_level(text) if self._is_level else self._read_sentence(text)
        if isinstance(reading, str):
            self.rejects.add(reading, text)
            return None
        return reading

    def _read_level(self, text: str) -> Level | str:
        """Return the level, or why there is none; likewise below."""
        match = _LEVEL.match(text.strip())
        if match is None:
            return "bad_field"
        level_m = float(match[1])
        return Level(level_m, text) if abs(level_m) <= MAX_LEVEL_M else "out_of_range"

    def _read_sentence(self, text: str) -> Hooks | Laser | str:
        if not text.startswith("$"):
            return "garbage"
        match = _SENTENCE.match(text)
        if match is None:
            return "bad_address" if "*" in text else "checksum_missing"
        if reduce(xor, text[1 : text.index("*")].encode("ascii")) != int(match[3], 16):
            return "checksum"
        fields = match[2].split(",")
        if match[1] == "PMHT":
            return self._read_hooks(fields, text)
        return self._read_laser(fields, text) if match[1] == "PDLR" else "bad_address"

    def _read_hooks(self, fields: list[str], text: str) -> Hooks | str:
        first, tensions = fields[0], fields[1:]
        if not _is_count(first) or not tensions or not all(_is_number(field) for field in tensions):
            return "bad_field"
        if not 1 <= int(first) <= int(first) + len(tensions) - 1 <= MAX_HOOKS:
            return "out_of_range"
        return Hooks(int(first), [self._value(field, 0.0, MAX_TENSION_KN, text) for field in tensions], text)

    def _read_laser(self, fields: list[str], text: str) -> Laser | str:
        if len(fields) != _LASER_FIELDS or not _is_count(fields[0]) or not all(map(_is_number, fields[1:3])):
            return "bad_field"
        number, status = int(fields[0]), fields[3]
        if not 1 <= number <= MAX_LASERS:
            return "out_of_range"
        if status not in ("A", "V"):
            return "bad_field"
        if status == "V":
            return Laser(number, None, None, text)
        distance_m = self._value(fields[1], 0.0, MAX_DISTANCE_M, text)
        return Laser(number, distance_m, self._value(fields[2], -MAX_SPEED_MPS, MAX_SPEED_MPS, text), text)

    def _value(self, field: str, minimum: float, maximum: float, text: str) -> float | None:
        if not field:
            return None
        value = float(field)
        if minimum <= value <= maximum:
            return value
        self.rejects.add("out_of_range", text)
        return None


def _is_count(field: str) -> bool:
    return len(field) in (1, 2) and field.isascii() and field.isdigit()


def _is_number(field: str) -> bool:
    return not field or _NUMBER.match(field) is not None
