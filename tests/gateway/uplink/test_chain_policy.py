import pytest

from gateway.certificate import Validity
from gateway.timekeeping.floor_policy import JudgeBy
from gateway.uplink import chain_policy
from gateway.uplink.chain_policy import objection

SERVER, AUTHORITY = Validity(100.0, 200.0), Validity(50.0, 1000.0)
NS = 1_000_000_000


@pytest.mark.parametrize(("at_s", "expected"), [(10, ""), (100, ""), (150, ""), (200, ""), (201, chain_policy.EXPIRED)])
def test_by_a_floor_only_an_end_before_it_is_a_fault(at_s: int, expected: str) -> None:
    assert objection([SERVER, AUTHORITY], JudgeBy(at_s * NS, is_floor=True)) == expected


@pytest.mark.parametrize(
    ("at_s", "expected"), [(99, chain_policy.NOT_YET), (100, ""), (200, ""), (201, chain_policy.EXPIRED)]
)
def test_by_a_known_time_both_ends_count(at_s: int, expected: str) -> None:
    assert objection([SERVER, AUTHORITY], JudgeBy(at_s * NS, is_floor=False)) == expected


def test_a_certificate_that_begins_later_raises_the_floor_for_the_rest_of_the_chain() -> None:
    """The authority signed at 100 s: that it is at least so late is known, and by then the intermediate had ended."""
    chain = [SERVER, Validity(20.0, 90.0), AUTHORITY]
    assert objection(chain, JudgeBy(30 * NS, is_floor=True)) == chain_policy.EXPIRED


def test_what_cannot_be_read_is_refused() -> None:
    assert objection([], JudgeBy(0, is_floor=True)) == chain_policy.EMPTY
    assert objection([SERVER, None], JudgeBy(150 * NS, is_floor=True)) == chain_policy.UNREADABLE
