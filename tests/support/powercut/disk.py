"""What a disk may hold after the power was cut: everything covered by a sync, and of the rest whatever the dice say.

The model. A write is covered once a sync of *its file* has returned; a name (made, renamed, removed) once a sync of
*its folder* has returned. What is not covered is, each for itself: kept, lost, or torn into sectors of 512 bytes; so
later writes may be there without earlier ones. A file may also have grown without the data that made it grow. This is
what POSIX leaves open, and more than ext4, XFS or F2FS do: whatever those may leave behind is among it. On ext4 one
journal commit carries all names that waited; cuts by that rule (``Cut.has_journal``) are among the rest.

Not in the model: a disk that loses what it said it had flushed, and one that damages what nobody wrote. Those are
damage, and salvage has its own proof.
"""

import random
import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.powercut.recording import IGNORED_SUFFIX, ROOT, Kind, Names, Op

SECTOR_BYTES = 512
SHARE_TORN = 0.4
SHARE_GROWN = 0.3


@dataclass(frozen=True, slots=True)
class Cut:
    """How this cut treats what is not covered.

    Attributes:
        seed: of its dice.
        data: ``lost``, ``kept``, ``first`` (up to some point all, after it nothing), ``any``, ``torn``.
        names: the same for names, without ``torn``.
        has_journal: any sync carries all names that waited.
    """

    seed: int
    data: str
    names: str
    has_journal: bool


def any_cut(dice: random.Random) -> Cut:
    """Throw the dice for a cut."""
    return Cut(
        seed=dice.getrandbits(32),
        data=dice.choice(("lost", "lost", "kept", "first", "any", "torn", "torn")),
        names=dice.choice(("lost", "lost", "kept", "first", "any")),
        has_journal=dice.random() < 0.25,
    )


@dataclass
class _File:
    data: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, Op]] = field(default_factory=list)


@dataclass
class _Folder:
    entries: dict[str, int] = field(default_factory=dict)
    waiting: list[tuple[int, Op]] = field(default_factory=list)
    journal: list[tuple[int, Op]] = field(default_factory=list)
    """Those of ``waiting`` that a journal has not carried to the disk yet."""


class Disk:
    """Files and folders, each with what is on the disk for sure and what waits.

    Args:
        dropped: pattern of the labels of syncs that are taken away (mutation proofs).
    """

    def __init__(self, dropped: str = "") -> None:
        self._dropped = re.compile(dropped) if dropped else None
        self._files: dict[int, _File] = {}
        self._folders: dict[int, _Folder] = {ROOT: _Folder()}
        self._at = 0

    def apply(self, op: Op) -> None:
        """Do one recorded change."""
        self._at += 1
        if op.kind in (Kind.WRITE, Kind.TRUNCATE):
            self._files[op.inode].waiting.append((self._at, op))
        elif op.kind in (Kind.LINK, Kind.UNLINK, Kind.RENAME):
            if op.kind is Kind.LINK and op.is_folder:
                self._folders[op.inode] = _Folder()
            elif op.kind is Kind.LINK:
                self._files[op.inode] = _File()
            folder = self._folders[op.folder]
            folder.waiting.append((self._at, op))
            folder.journal.append((self._at, op))
        elif op.kind is Kind.SYNC and not (self._dropped and self._dropped.fullmatch(op.label)):
            self._sync(op.inode)

    def load(self, tree: dict[str, bytes]) -> Names:
        """Begin with files that are on the disk for sure; returns their names."""
        names = Names()
        for path, data in sorted(tree.items()):
            folder = ROOT
            *parents, name = path.split("/")
            for parent in parents:
                folder = self._loaded_folder(names, folder, parent)
            inode = names.new(is_folder=False)
            names.folders[folder][name] = self._folders[folder].entries[name] = inode
            self._files[inode] = _File(bytearray(data))
        return names

    def killed(self) -> tuple[dict[str, bytes], "Disk", Names]:
        """Return the files as a process finds them that follows a killed one, a disk to go on with, and its names.

        What waits goes on waiting: a kill is no sync.
        """
        disk = deepcopy(self)
        names = Names({inode: dict(folder.entries) for inode, folder in disk._folders.items()})
        for inode, folder in disk._folders.items():
            _change(names.folders[inode], (op for _, op in folder.waiting))
        names.next_inode = max((*disk._folders, *disk._files)) + 1
        return disk.image(Cut(0, "kept", "kept", has_journal=False)), disk, names

    def image(self, cut: Cut) -> dict[str, bytes]:
        """Return the files, path to content, that this cut leaves behind."""
        dice = random.Random(cut.seed)
        limit = dice.choice(self._waiting() or [0])
        share = dice.choice((0.1, 0.5, 0.9))
        tree: dict[str, bytes] = {}
        folders = [(ROOT, "")]
        while folders:
            inode, prefix = folders.pop()
            for name, child in self._entries(inode, cut, dice, limit, share).items():
                if child in self._folders:
                    folders.append((child, f"{prefix}{name}/"))
                elif not name.endswith(IGNORED_SUFFIX):
                    tree[prefix + name] = self._content(child, cut, dice, limit, share)
        return tree

    def _sync(self, inode: int) -> None:
        if inode in self._folders:
            folder = self._folders[inode]
            _change(folder.entries, (op for _, op in folder.waiting))
            folder.waiting.clear()
        else:
            file = self._files[inode]
            for _, op in file.waiting:
                _write(file.data, op.kind, op.offset, op.data)
            file.waiting.clear()
        for folder in self._folders.values():
            folder.journal.clear()

    def _waiting(self) -> list[int]:
        things: list[_File | _Folder] = [*self._files.values(), *self._folders.values()]
        return [at for thing in things for at, _ in thing.waiting]

    def _loaded_folder(self, names: Names, folder: int, name: str) -> int:
        if name not in names.folders[folder]:
            inode = names.new(is_folder=True)
            names.folders[folder][name] = self._folders[folder].entries[name] = inode
            self._folders[inode] = _Folder()
        return names.folders[folder][name]

    def _entries(self, inode: int, cut: Cut, dice: random.Random, limit: int, share: float) -> dict[str, int]:
        folder = self._folders[inode]
        entries = dict(folder.entries)
        loose = folder.journal if cut.has_journal else folder.waiting
        sure = [item for item in folder.waiting if not loose or item[0] < loose[0][0]] if cut.has_journal else []
        kept = [item for item in loose if _is_kept(item[0], cut.names, dice, limit, share)]
        _change(entries, (op for _, op in sure + kept))
        return entries

    def _content(self, inode: int, cut: Cut, dice: random.Random, limit: int, share: float) -> bytes:
        file = self._files[inode]
        data = bytearray(file.data)
        for at, op in file.waiting:
            if _is_kept(at, cut.data, dice, limit, share):
                if op.kind is Kind.WRITE and cut.data == "torn" and dice.random() < SHARE_TORN:
                    _tear(data, op, dice)
                else:
                    _write(data, op.kind, op.offset, op.data)
            elif cut.data == "torn" and op.kind is Kind.WRITE and dice.random() < SHARE_GROWN:
                _grow(data, op.offset + len(op.data))
        return bytes(data)


def lay_out(tree: dict[str, bytes], folder: Path) -> None:
    """Write the files of an image."""
    for path, data in tree.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def read_tree(folder: Path) -> dict[str, bytes]:
    """Read the files below a folder as an image."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(IGNORED_SUFFIX)
    }


def _is_kept(at: int, fate: str, dice: random.Random, limit: int, share: float) -> bool:
    if fate == "kept":
        return True
    if fate == "first":
        return at <= limit
    return fate != "lost" and dice.random() < share


def _change(entries: dict[str, int], ops: Iterable[Op]) -> None:
    for op in ops:
        if op.kind is Kind.LINK:
            entries[op.name] = op.inode
        else:
            if entries.get(op.name) == op.inode:
                del entries[op.name]
            if op.kind is Kind.RENAME:
                entries[op.to] = op.inode


def _write(data: bytearray, kind: Kind, offset: int, new: bytes) -> None:
    if kind is Kind.TRUNCATE:
        del data[offset:]
        _grow(data, offset)
        return
    _grow(data, offset)
    data[offset : offset + len(new)] = new


def _tear(data: bytearray, op: Op, dice: random.Random) -> None:
    """Write some of the sectors that a write touches."""
    start, end = op.offset, op.offset + len(op.data)
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        if dice.random() < 0.5:
            _write(data, Kind.WRITE, start, op.data[start - op.offset : stop - op.offset])
        start = stop


def _grow(data: bytearray, size: int) -> None:
    if len(data) < size:
        data.extend(bytes(size - len(data)))
