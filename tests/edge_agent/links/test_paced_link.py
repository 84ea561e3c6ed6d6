import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.links.pace_policy import BURST_BYTES, BYTES_PER_S, PacePolicy
from edge_agent.links.paced_link import PacedLink

NS = 1_000_000_000


def read_for(policy: PacePolicy, seconds: float, size: int) -> int:
    """Read as fast as the policy allows, from a line that always has more; returns the bytes read."""
    now_ns, total = 0, 0
    while now_ns < seconds * NS:
        wait_s = policy.wait_s(now_ns)
        now_ns += round(wait_s * NS) + 1000
        policy.took(size, now_ns)
        total += size
    return total


def test_a_flooded_line_is_read_at_the_limit_and_not_faster() -> None:
    total = read_for(PacePolicy(0), 10, 4096)
    assert total == pytest.approx(BURST_BYTES + 10 * BYTES_PER_S, rel=0.01)


def test_the_busiest_feed_never_waits() -> None:
    policy = PacePolicy(0)
    for number in range(3600):
        policy.took(160_000, number * NS)
        assert policy.wait_s(number * NS) == 0


@given(st.lists(st.tuples(st.integers(0, 65536), st.integers(0, NS)), max_size=50))
def test_a_wait_is_never_longer_than_the_last_read_costs(reads: list[tuple[int, int]]) -> None:
    policy = PacePolicy(0)
    now_ns = 0
    for size, step_ns in reads:
        now_ns += step_ns + round(policy.wait_s(now_ns) * NS)
        policy.took(size, now_ns)
        assert 0 <= policy.wait_s(now_ns) <= 65536 / BYTES_PER_S + 0.001


class Endless:
    """A flooded line."""

    counters: dict[str, int] = {"bytes": 1}  # noqa: RUF012 - never changed

    async def open(self) -> None:
        return

    async def read(self) -> bytes:
        return b"\xff" * 65536

    async def close(self) -> None:
        return


async def test_reads_wait_and_are_counted_and_a_cancelled_wait_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = 0
    monkeypatch.setattr("edge_agent.links.paced_link.time.monotonic_ns", lambda: now_ns)
    link = PacedLink(Endless())
    for _ in range(BURST_BYTES // 65536 + 1):
        assert len(await link.read()) == 65536
    assert link.counters == {"bytes": 1}
    reading = asyncio.create_task(link.read())
    await asyncio.sleep(0)
    assert link.counters == {"bytes": 1, "held_up": 1}
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    now_ns += NS
    assert len(await link.read()) == 65536
    await link.close()
