"""The disk of the power-cut harness: what is covered by a sync stays, and of the rest only what the cut leaves."""

from tests.support.powercut.disk import Cut, Disk
from tests.support.powercut.recording import ROOT, Kind, Op

FILE, OTHER = 1, 2
LOST = Cut(1, "lost", "lost", has_journal=False)
KEPT = Cut(1, "kept", "kept", has_journal=False)


def made(dropped: str = "") -> Disk:
    disk = Disk(dropped)
    disk.apply(Op(Kind.LINK, FILE, folder=ROOT, name="a"))
    disk.apply(Op(Kind.WRITE, FILE, 0, b"x" * 1024))
    disk.apply(Op(Kind.SYNC, FILE, label="a by sqlite"))
    return disk


def test_a_synced_file_without_a_synced_name_is_lost() -> None:
    disk = made()
    assert disk.image(LOST) == {}
    assert disk.image(KEPT) == {"a": b"x" * 1024}
    disk.apply(Op(Kind.SYNC, ROOT, label="folder"))
    assert disk.image(LOST) == {"a": b"x" * 1024}


def test_a_journal_carries_all_names_with_any_sync() -> None:
    assert made().image(Cut(1, "lost", "lost", has_journal=True)) == {"a": b"x" * 1024}


def test_a_write_after_the_sync_is_kept_lost_or_torn_at_sectors() -> None:
    disk = made()
    disk.apply(Op(Kind.SYNC, ROOT, label="folder"))
    disk.apply(Op(Kind.WRITE, FILE, 0, b"y" * 1024))
    assert disk.image(LOST)["a"] == b"x" * 1024
    assert disk.image(KEPT)["a"] == b"y" * 1024
    torn = {disk.image(Cut(seed, "torn", "kept", has_journal=False))["a"] for seed in range(200)}
    sectors = (b"x" * 512, b"y" * 512)
    assert torn == {first + second for first in sectors for second in sectors}


def test_later_writes_may_be_there_without_earlier_ones() -> None:
    disk = made()
    disk.apply(Op(Kind.SYNC, ROOT, label="folder"))
    for at, byte in ((1024, b"1"), (2048, b"2")):
        disk.apply(Op(Kind.WRITE, FILE, at, byte * 1024))
    found = {disk.image(Cut(seed, "any", "kept", has_journal=False))["a"] for seed in range(100)}
    assert b"x" * 1024 + bytes(1024) + b"2" * 1024 in found


def test_a_renamed_file_is_under_its_old_name_until_the_folder_is_synced() -> None:
    disk = made()
    disk.apply(Op(Kind.LINK, OTHER, folder=ROOT, name="b"))
    disk.apply(Op(Kind.SYNC, ROOT, label="folder"))
    disk.apply(Op(Kind.RENAME, FILE, folder=ROOT, name="a", to="b"))
    assert disk.image(LOST) == {"a": b"x" * 1024, "b": b""}
    assert disk.image(KEPT) == {"b": b"x" * 1024}


def test_a_kill_is_no_sync() -> None:
    tree, disk, names = made().killed()
    assert tree == {"a": b"x" * 1024}
    assert names.find("a") == FILE
    assert disk.image(LOST) == {}


def test_a_sync_that_is_taken_away_covers_nothing() -> None:
    disk = made(dropped=r"a by .*")
    disk.apply(Op(Kind.SYNC, ROOT, label="folder"))
    assert disk.image(LOST) == {"a": b""}
