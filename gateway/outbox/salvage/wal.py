"""The write-ahead log, frame by frame, and whether SQLite would believe all of it. Sans-io.

SQLite reads a log up to the first frame whose checksum is wrong and takes the rest for what a power cut left behind:
one flipped byte in the middle silently takes the database back in time. Here each frame is judged by the checksum that
the frame before it carries, so that a damaged one does not hide the sound ones after it.

Source: SQLite, "Write-Ahead Logging": the WAL file format, checksum algorithm.
"""

# ruff: noqa: PLR2004 - the numbers are those of the file format

import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.outbox.salvage.layout import PAGE_SIZES

HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
_MAGICS = (0x377F0682, 0x377F0683)
_MASK = 0xFFFFFFFF

Read = Callable[[int, int], bytes]
"""Reads (offset, size) of a file; fewer bytes at its end."""
Sum = tuple[int, int]


class WalState(StrEnum):
    """What a log is.

    Attributes:
        SOUND: SQLite reads all that was committed.
        TORN: the last transaction is broken. A power cut does that before a commit returns; damage does it later. Only
            one who knows what had been committed can tell.
        DAMAGED: frames before the last transaction, which was begun after they had been synced, are broken.
    """

    SOUND = "sound"
    TORN = "torn"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Frame:
    """One page image of the log.

    Attributes:
        index: place in the log, from 0.
        page_no: page that it is an image of.
        is_commit: the last of its transaction.
        is_current: it carries the salts of the log: else it is of an earlier round.
        salts: of its round.
        is_proven: its checksum follows from that of the frame before it.
        at: offset of the image in the file, bytes.
    """

    index: int
    page_no: int
    is_commit: bool
    is_current: bool
    salts: Sum
    is_proven: bool
    at: int


@dataclass(frozen=True, slots=True)
class Log:
    """A log as it was read.

    Attributes:
        page_size: of the images, bytes; 0 if there is no log to read.
        frames: in order of writing.
        state: what became of it.
    """

    page_size: int
    frames: list[Frame]
    state: WalState


def checksum(data: bytes, seed: Sum, *, is_big_endian: bool) -> Sum:
    """Return the log's checksum of bytes, continuing another.

    Args:
        data: a multiple of 8 bytes.
        seed: checksum so far; (0, 0) at the beginning.
        is_big_endian: order of its words, as the log's magic number tells.
    """
    words = struct.unpack(f"{'>' if is_big_endian else '<'}{len(data) // 4}I", data)
    first, second = seed
    pairs = iter(words)
    for even, odd in zip(pairs, pairs, strict=True):
        first = (first + even + second) & _MASK
        second = (second + odd + first) & _MASK
    return first, second


def read_log(read: Read, size: int, page_size_hint: int | None) -> Log:
    """Read a log and judge it.

    Args:
        read: reads from the file.
        size: of the file, bytes.
        page_size_hint: page size of the database, where the log's own header is damaged.
    """
    header = read(0, HEADER_BYTES)
    if size < HEADER_BYTES + FRAME_HEADER_BYTES or len(header) < HEADER_BYTES:
        return Log(0, [], WalState.SOUND)
    magic, version, page_size, _, salt_1, salt_2, sum_1, sum_2 = struct.unpack(">8I", header)
    is_big_endian = magic == _MAGICS[1]
    is_sound = (
        magic in _MAGICS
        and version == 3007000
        and page_size in PAGE_SIZES
        and checksum(header[:24], (0, 0), is_big_endian=is_big_endian) == (sum_1, sum_2)
    )
    if is_sound:
        frames = _frames(read, size, page_size, (salt_1, salt_2), (sum_1, sum_2), is_big_endian=is_big_endian)
        return Log(page_size, frames, _judge(frames))
    best: list[Frame] = []
    best_size = 0
    for candidate in dict.fromkeys([*([page_size_hint] if page_size_hint else []), *PAGE_SIZES]):
        frames = _frames_without_header(read, size, candidate)
        if _proven(frames) > _proven(best) or not best:
            best, best_size = frames, candidate
        if candidate == page_size_hint and _proven(frames):
            break
    # a first transaction alone may be what a power cut has left of one that was never committed
    commits = sum(frame.is_commit and frame.is_current for frame in best[:-1])
    return Log(best_size, best, WalState.DAMAGED if commits else WalState.TORN)


def _proven(frames: list[Frame]) -> int:
    return sum(frame.is_proven for frame in frames)


def _frames_without_header(read: Read, size: int, page_size: int) -> list[Frame]:
    """Read the frames of a log whose header is lost: byte order and salts are those that make most of them fit."""
    step = page_size + FRAME_HEADER_BYTES
    heads = [read(at, FRAME_HEADER_BYTES) for at in range(HEADER_BYTES, size - step + 1, step)]
    salts = Counter(struct.unpack(">2I", head[8:16]) for head in heads if len(head) == FRAME_HEADER_BYTES)
    if not salts:
        return []
    salt = salts.most_common(1)[0][0]
    both = [_frames(read, size, page_size, salt, None, is_big_endian=order) for order in (False, True)]
    return max(both, key=_proven)


def _frames(read: Read, size: int, page_size: int, salts: Sum, seed: Sum | None, *, is_big_endian: bool) -> list[Frame]:
    found: list[Frame] = []
    stored = computed = seed
    step = page_size + FRAME_HEADER_BYTES
    for index, at in enumerate(range(HEADER_BYTES, size - step + 1, step)):
        raw = read(at, step)
        if len(raw) < step:
            break
        page_no, commit, salt_1, salt_2, *sums = struct.unpack(">6I", raw[:FRAME_HEADER_BYTES])
        own = (sums[0], sums[1])
        is_current = (salt_1, salt_2) == salts
        results = []
        if is_current:
            # the frame before may be whole but for its stored checksum: then the computed one continues the chain
            for start in {stored, computed} - {None}:
                first = checksum(raw[:8], start, is_big_endian=is_big_endian)  # type: ignore[arg-type]
                results.append(checksum(raw[FRAME_HEADER_BYTES:], first, is_big_endian=is_big_endian))
        is_proven = own in results and page_no > 0
        image_at = at + FRAME_HEADER_BYTES
        found.append(Frame(index, page_no, commit > 0, is_current, (salt_1, salt_2), is_proven, image_at))
        stored, computed = own, (own if is_proven else results[0] if results else None)
    return found


def _judge(frames: list[Frame]) -> WalState:
    last = max((frame.index for frame in frames if frame.is_current), default=-1)
    broken = next((frame.index for frame in frames[: last + 1] if not frame.is_proven), None)
    if broken is None:
        return WalState.SOUND
    later = frames[broken:last]
    # a commit is synced before the next transaction writes its first frame
    return WalState.DAMAGED if any(frame.is_commit and frame.is_current for frame in later) else WalState.TORN
