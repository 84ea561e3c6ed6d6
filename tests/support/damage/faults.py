"""What a failing card does to a file: flipped bits, bursts, pages of zeros, ends that are gone."""

import random
from dataclasses import dataclass
from pathlib import Path

KINDS = ("bit", "bits", "byte", "burst", "zeros", "truncation")
WEIGHTS = (30, 10, 15, 25, 12, 8)
FILE_WEIGHTS = {"outbox.db": 50, "outbox.db-wal": 35, "outbox.mark": 8, "outbox.quarantine": 7}
CARD_PAGE_BYTES = 4096
STORE_PAGE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """Damage to one file: (first byte, byte behind the last) of what it changed."""

    file: str
    kind: str
    spans: tuple[tuple[int, int], ...]

    def touches(self, file: str, begin: int, end: int) -> bool:
        """Tell whether a byte of a stretch was changed."""
        return file == self.file and any(first < end and begin < last for first, last in self.spans)


def strike(folder: Path, dice: random.Random, only: str | None = None) -> Fault:
    """Damage one file of a store at random; it is written in place.

    Args:
        folder: of the store.
        dice: chooses.
        only: this file and no other.
    """
    sizes = {name: _size(folder / name) for name in FILE_WEIGHTS}
    names = [name for name, size in sizes.items() if size and only in (None, name)]
    name = dice.choices(names, [FILE_WEIGHTS[item] for item in names])[0]
    (kind,) = dice.choices(KINDS, WEIGHTS)
    data = bytearray((folder / name).read_bytes())
    before = bytes(data)
    spans = _spans(kind, len(data), dice)
    for first, last in spans:
        if kind == "truncation":
            del data[first:]
        elif kind == "zeros":
            data[first:last] = bytes(last - first)
        elif kind in ("bit", "bits"):
            data[first] ^= 1 << dice.randrange(8)
        else:
            data[first:last] = dice.randbytes(last - first)
    (folder / name).write_bytes(data)
    return Fault(name, kind, tuple(spans) if bytes(data) != before else ())


def _spans(kind: str, size: int, dice: random.Random) -> list[tuple[int, int]]:
    at = dice.randrange(size)
    if kind == "truncation":
        return [(at, size)]
    if kind == "zeros":
        page = dice.choice((CARD_PAGE_BYTES, STORE_PAGE_BYTES))
        return [(at - at % page, min(size, at - at % page + page))]
    if kind == "burst":
        return [(at, min(size, at + dice.randint(2, STORE_PAGE_BYTES)))]
    return (
        [(at, at + 1) for at in dice.sample(range(size), min(size, dice.randint(2, 8)))]
        if kind == "bits"
        else [(at, at + 1)]
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
