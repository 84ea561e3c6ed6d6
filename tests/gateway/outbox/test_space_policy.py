from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox.eviction_policy import Cap
from gateway.outbox.space import disk_space
from gateway.outbox.space_policy import SHRINK_STEP_BYTES, DiskSpace, FileUse, SpacePolicy

GIB = 1024**3
MIB = 1024**2


def policy(max_bytes: int = 4 * GIB, floor_bytes: int = 32 * MIB) -> SpacePolicy:
    return SpacePolicy(max_bytes, 0.10, 64 * MIB, 64 * GIB, floor_bytes)


def test_the_setting_bounds_while_the_disk_has_room() -> None:
    assert policy().cap(FileUse(GIB, GIB), DiskSpace(14 * GIB, 9 * GIB)) == Cap(4 * GIB)


def test_a_tenth_of_the_disk_stays_free() -> None:
    cap = policy().cap(FileUse(GIB, GIB), DiskSpace(14 * GIB, 2 * GIB))
    assert cap == Cap(GIB + 2 * GIB - int(1.4 * GIB), "disk_space")


def test_others_may_fill_the_disk_but_not_take_the_floor() -> None:
    assert policy().cap(FileUse(GIB, GIB), DiskSpace(14 * GIB, 0)) == Cap(32 * MIB, "disk_space")


def test_a_disk_that_does_not_answer_leaves_the_setting() -> None:
    assert policy().cap(FileUse(GIB, GIB), None) == Cap(4 * GIB)
    assert policy().shrink_bytes(FileUse(GIB, 0), None) == 0


def test_the_reserve_has_a_least_a_most_and_never_half_a_disk() -> None:
    assert policy().reserve_bytes(DiskSpace(200 * MIB, 0)) == 64 * MIB
    assert policy().reserve_bytes(DiskSpace(4000 * GIB, 0)) == 64 * GIB
    assert policy().reserve_bytes(DiskSpace(16 * MIB, 0)) == 8 * MIB


def test_unused_pages_are_handed_back_in_steps_and_only_when_the_disk_needs_them() -> None:
    full, roomy = DiskSpace(14 * GIB, 0), DiskSpace(14 * GIB, 5 * GIB)
    assert policy().shrink_bytes(FileUse(GIB, 0), full) == SHRINK_STEP_BYTES
    assert policy().shrink_bytes(FileUse(GIB, GIB - 5000), full) == 5000
    assert policy().shrink_bytes(FileUse(GIB, 0), roomy) == 0


@given(
    st.integers(0, 8 * GIB), st.integers(0, 8 * GIB), st.integers(64 * MIB, 64 * GIB), st.integers(0, 64 * GIB)
)  # fmt: skip
def test_growing_to_the_cap_never_takes_the_reserve(file_bytes: int, used: int, total: int, free: int) -> None:
    use, space = FileUse(file_bytes, min(used, file_bytes)), DiskSpace(total, min(free, total))
    cap = policy(floor_bytes=0).cap(use, space)
    grown = max(0, cap.max_bytes - file_bytes)
    assert cap.max_bytes <= 4 * GIB
    assert grown == 0 or space.free_bytes - grown >= policy().reserve_bytes(space)


def test_the_file_system_is_asked(tmp_path: Path) -> None:
    space = disk_space(tmp_path)
    assert space is not None
    assert 0 <= space.free_bytes <= space.total_bytes
    assert disk_space(tmp_path / "missing") is None
