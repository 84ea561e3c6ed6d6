"""The fleet registry: newest report, clock offset, and how often it is written."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.fleet.registry_policy import MAX_GATEWAYS, WRITE_INTERVAL_NS, FleetRegistry
from tests.support.statuses import status

NOW_NS = 1_790_000_000_000_000_000
S = 1_000_000_000


def test_a_gateway_keeps_when_it_was_first_seen() -> None:
    registry = FleetRegistry()
    registry.hear(status(), NOW_NS)
    entry = registry.hear(status(), NOW_NS + S)
    assert entry is not None
    assert (entry.first_seen_ns, entry.last_seen_ns) == (NOW_NS, NOW_NS + S)


def test_the_offset_is_that_of_the_report_with_the_shortest_way() -> None:
    registry = FleetRegistry()
    for delay_ms in (900, 40, 300):
        entry = registry.hear(status(at_ns=NOW_NS + 2 * S), NOW_NS + delay_ms * 1_000_000)
    assert entry is not None
    assert entry.clock_offset_ms == 1960.0


def test_an_old_offset_is_forgotten() -> None:
    registry = FleetRegistry()
    registry.hear(status(at_ns=NOW_NS + 60 * S), NOW_NS)
    for _ in range(12):
        entry = registry.hear(status(at_ns=NOW_NS), NOW_NS)
    assert entry is not None
    assert entry.clock_offset_ms == 0.0


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40))
def test_a_gateway_is_never_written_twice_within_the_interval(steps_s: list[int]) -> None:
    registry = FleetRegistry()
    now_ns, writes = NOW_NS, []
    for step_s in steps_s:
        now_ns += step_s * S
        registry.hear(status(), now_ns)
        due = registry.due(now_ns)
        if due:
            writes.append(now_ns)
            registry.written(due, now_ns)
    assert writes
    assert all(later - earlier >= WRITE_INTERVAL_NS for earlier, later in pairwise(writes))
    assert [entry.last_seen_ns for entry in registry.due(now_ns, is_last=True)] in ([], [now_ns])


def test_what_was_heard_while_it_was_written_stays_due() -> None:
    registry = FleetRegistry()
    registry.hear(status(), NOW_NS)
    due = registry.due(NOW_NS)
    registry.hear(status(), NOW_NS + S)
    registry.written(due, NOW_NS + S)
    assert [entry.last_seen_ns for entry in registry.due(NOW_NS + 7 * S)] == [NOW_NS + S]


def test_the_registry_has_a_cap_and_counts_what_it_refuses() -> None:
    registry = FleetRegistry()
    for number in range(MAX_GATEWAYS):
        registry.hear(status(gateway=f"gw-{number}"), NOW_NS)
    assert registry.hear(status(gateway="one-more"), NOW_NS) is None
    assert registry.hear(status(gateway="gw-1"), NOW_NS + S) is not None
    assert registry.refused == 1


def test_what_was_heard_is_newer_than_what_was_stored() -> None:
    registry = FleetRegistry()
    heard = registry.hear(status(), NOW_NS)
    stored = FleetRegistry()
    old = stored.hear(status(software="old"), NOW_NS - S)
    assert heard is not None
    assert old is not None
    registry.restore([old])
    assert registry.entries() == [heard]
