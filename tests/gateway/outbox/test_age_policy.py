"""A step of the clock never makes a record older than it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox.age_policy import SETTLE_S, AgePolicy

S = 10**9
YEAR_S = 365 * 86_400
UTC_2026 = 1_790_000_000


def aged(policy: AgePolicy, mono_s: float, at_s: float, boot: str = "before", mono_at_s: float = 0.0) -> float | None:
    return policy.age_s(mono_s, int(at_s * S), int(mono_at_s * S), boot, is_time_known=True)


def settled_policy() -> AgePolicy:
    policy = AgePolicy("now")
    policy.note(0.0, UTC_2026 * S, is_believed=True)
    return policy


def test_within_a_boot_only_the_monotonic_clock_counts() -> None:
    policy = AgePolicy("now")
    policy.note(10.0, 50 * YEAR_S * S, is_believed=True)
    assert aged(policy, 100.0, 1.0, "now", mono_at_s=40.0) == 60.0


def test_a_record_of_an_earlier_boot_has_its_age_once_the_clock_has_been_believed_for_a_while() -> None:
    policy = settled_policy()
    assert aged(policy, SETTLE_S - 1, UTC_2026 - 3600) is None
    assert aged(policy, SETTLE_S, UTC_2026 - 3600) == pytest.approx(3600 + SETTLE_S)


def test_a_clock_that_is_not_believed_tells_no_age_of_an_earlier_boot() -> None:
    policy = AgePolicy("now")
    policy.note(0.0, UTC_2026 * S, is_believed=False)
    assert aged(policy, 9999.0, 1.0) is None
    settled = settled_policy()
    settled.note(700.0, UTC_2026 * S, is_believed=False)
    assert aged(settled, 9999.0, 1.0) is None


def test_a_record_whose_own_clock_was_not_believed_has_no_age() -> None:
    assert settled_policy().age_s(9999.0, 0, 0, "before", is_time_known=False) is None


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(-(10**11), 10**11)), max_size=20), st.floats(0, 1e6))
def test_no_step_makes_a_record_older(steps: list[tuple[float, int]], later_s: float) -> None:
    """At 0 s and again at the end the clock is right; in between it is believed and says anything."""
    policy = settled_policy()
    now = 0.0
    for wait_s, step_s in steps:
        now += wait_s
        policy.note(now, int((UTC_2026 + now + step_s) * S), is_believed=True)
        age_s = aged(policy, now, UTC_2026 - 3600)
        assert age_s is None or age_s <= now + 3600 + 1e-3
        assert aged(policy, now, 0, "now", mono_at_s=now) == pytest.approx(0.0, abs=1e-6)
    now += later_s
    age_s = aged(policy, now, UTC_2026 - 3600)
    assert age_s is None or age_s <= now + 3600 + 1e-3


def test_with_the_newest_offset_a_step_would_age_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutation proof of the one above: the lowest UTC believed in is what protects."""

    def note(self: AgePolicy, mono_s: float, wall_ns: int, *, is_believed: bool) -> None:
        self._believed_since_s = 0.0 if is_believed else None
        self._lowest_offset_ns = wall_ns - int(mono_s * 1e9)

    monkeypatch.setattr(AgePolicy, "note", note)
    policy = settled_policy()
    policy.note(1000.0, (UTC_2026 + 73 * YEAR_S) * S, is_believed=True)
    age_s = aged(policy, 1000.0, UTC_2026 - 3600)
    assert age_s is not None
    assert age_s > 72 * YEAR_S
