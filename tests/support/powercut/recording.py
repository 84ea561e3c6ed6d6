"""The recorder's log, read: which file or folder each call touched, in order. Names are resolved as the kernel did."""

import ctypes
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from tests.support.preloading import build_library

HERE = Path(__file__).parent
ROOT = 0
"""Inode of the recorded folder itself."""
IGNORED_SUFFIX = "-shm"
"""SQLite's index of its log lives in shared memory: emptied at every first opening, never read after a crash."""

_ENTRY = struct.Struct("<IiqIIII")


class Kind(IntEnum):
    """As in recorder.c."""

    OPEN = 1
    WRITE = 2
    TRUNCATE = 3
    RENAME = 4
    UNLINK = 5
    MKDIR = 6
    RMDIR = 7
    SYNC = 8
    CLOSE = 9
    MARK = 10
    UNKNOWN = 11
    LINK = 12


@dataclass(frozen=True, slots=True)
class Op:
    """One change, resolved.

    Attributes:
        kind: WRITE, TRUNCATE, SYNC (of ``inode``); LINK (a name for ``inode`` appears in ``folder``), UNLINK (it goes),
            RENAME (``name`` to ``to``, both in ``folder``); MARK.
        label: what was synced and by whom, for taking one class of syncs away: ``wal by sqlite``, ``folder data for
            wal by sqlite``.
    """

    kind: Kind
    inode: int = -1
    offset: int = 0
    data: bytes = b""
    folder: int = -1
    name: str = ""
    to: str = ""
    is_folder: bool = False
    label: str = ""


@dataclass
class Names:
    """The live tree: entries of each folder; inodes are numbered as they appear."""

    folders: dict[int, dict[str, int]] = field(default_factory=lambda: {ROOT: {}})
    next_inode: int = 1
    unsynced: dict[int, set[str]] = field(default_factory=dict)
    """By folder, the kinds of names changed in it since it was synced: what its next sync is good for."""

    def changed(self, folder: int, name: str) -> None:
        """Take note of a name that was made, changed or removed."""
        self.unsynced.setdefault(folder, set()).add(kind_of(name))

    def new(self, *, is_folder: bool) -> int:
        """Number a new file or folder."""
        inode = self.next_inode
        self.next_inode += 1
        if is_folder:
            self.folders[inode] = {}
        return inode

    def place(self, path: str) -> tuple[int, str]:
        """Return the folder of a path and its name there."""
        *parents, name = path.split("/")
        folder = ROOT
        for parent in parents:
            folder = self.folders[folder][parent]
        return folder, name

    def find(self, path: str) -> int:
        """Return the inode of a path."""
        if not path:
            return ROOT
        folder, name = self.place(path)
        return self.folders[folder][name]


def build_recorder() -> Path:
    """Compile the recorder if its source is newer; returns the library."""
    return build_library(HERE / "recorder.c")


class Recorder:
    """Switches the preloaded recorder of this process on and off."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)

    def begin(self, folder: Path, log: Path) -> None:
        """Record what happens below ``folder`` from now on."""
        if self._library.powercut_begin(str(folder).encode(), str(log).encode()) != 0:
            raise OSError(f"cannot write {log}")

    def mark(self, text: str) -> None:
        """Put a mark between what was done to the files before and after it."""
        self._library.powercut_mark(text.encode())

    def end(self) -> None:
        """Stop recording."""
        self._library.powercut_end()


def read_ops(log: bytes, names: Names) -> Iterator[Op]:
    """Resolve a log, beginning with the tree ``names``, which follows along.

    Raises:
        ValueError: the process did something that cannot be replayed.
    """
    open_files: dict[int, tuple[int, str]] = {}
    at = 0
    while at < len(log):
        kind, fd, offset, path_size, data_size, is_created, caller = _ENTRY.unpack_from(log, at)
        at += _ENTRY.size
        path, data = log[at : at + path_size].decode(), log[at + path_size : at + path_size + data_size]
        at += path_size + data_size
        by = "sqlite" if caller else "gateway"
        match Kind(kind):
            case Kind.OPEN:
                if is_created:
                    yield _appear(names, path, is_folder=False)
                open_files[fd] = (names.find(path), path)
            case Kind.CLOSE:
                del open_files[fd]
            case Kind.MARK:
                yield Op(Kind.MARK, data=data)
            case Kind.UNKNOWN:
                if not open_files.get(fd, (0, ""))[1].endswith(IGNORED_SUFFIX):
                    raise ValueError(f"cannot replay {path} of {open_files.get(fd)}")
            case Kind.WRITE | Kind.TRUNCATE | Kind.SYNC as what:
                inode, name = open_files[fd]
                if not name.endswith(IGNORED_SUFFIX):
                    label = _label(names, inode, name, by) if what is Kind.SYNC else ""
                    yield Op(what, inode, offset, data, label=label)
            case _ as change:
                yield _rename(names, Kind(change), path, data.decode())


def kind_of(path: str) -> str:
    """Name the kind of a file by what it is for."""
    for suffix in ("-wal", "-journal", IGNORED_SUFFIX):
        if path.endswith(suffix):
            return suffix[1:]
    return path.rpartition("/")[2]


def _label(names: Names, inode: int, path: str, by: str) -> str:
    if inode not in names.folders:
        return f"{kind_of(path)} by {by}"
    changed = names.unsynced.pop(inode, set()) - {IGNORED_SUFFIX[1:]}
    return f"folder {path or '.'} for {'+'.join(sorted(changed)) or 'what was left behind'} by {by}"


def _appear(names: Names, path: str, *, is_folder: bool) -> Op:
    folder, name = names.place(path)
    inode = names.new(is_folder=is_folder)
    names.folders[folder][name] = inode
    names.changed(folder, name)
    return Op(Kind.LINK, inode, folder=folder, name=name, is_folder=is_folder)


def _rename(names: Names, kind: Kind, path: str, to: str) -> Op:
    if kind is Kind.MKDIR:
        return _appear(names, path, is_folder=True)
    folder, name = names.place(path)
    names.changed(folder, name)
    if kind in (Kind.UNLINK, Kind.RMDIR):
        return Op(Kind.UNLINK, names.folders[folder].pop(name), folder=folder, name=name)
    to_folder, to_name = names.place(to)
    if kind is Kind.RENAME and folder == to_folder:
        inode = names.folders[folder].pop(name)
        names.folders[folder][to_name] = inode
        return Op(Kind.RENAME, inode, folder=folder, name=name, to=to_name)
    raise ValueError(f"cannot replay {kind.name} {path} {to}")
