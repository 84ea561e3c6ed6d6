"""When a lease is asked for, believed and let go, in virtual time; and that two processes never believe at once."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.tracking.lease_policy import MARGIN, MAX_SITES, Answer, Ask, Change, LeasePolicy, Reason

LEASE_S = 3.0
SITE = "puerto-demo"


def no_jitter() -> float:
    return 0.0


@pytest.fixture
def policy() -> LeasePolicy:
    made = LeasePolicy(LEASE_S, [], no_jitter)
    made.hear(SITE, 0.0)
    return made


def held(policy: LeasePolicy, at_s: float = 0.0, epoch: int = 1) -> None:
    policy.due(at_s)
    assert policy.take([Answer(SITE, epoch)], at_s, at_s) == [Change(SITE, epoch, Reason.TAKEN)]


def test_a_site_that_is_heard_is_asked_for_at_once(policy: LeasePolicy) -> None:
    assert policy.due(0.0) == [Ask(SITE, None)]
    assert policy.due(0.0) == []


def test_a_lease_is_renewed_three_times_as_often_as_it_ends(policy: LeasePolicy) -> None:
    held(policy)
    assert policy.due(0.9) == []
    assert policy.wake_s(0.9) == 1.0
    assert policy.due(1.0) == [Ask(SITE, 1)]
    assert policy.take([Answer(SITE, 1)], 1.0, 1.01) == []
    assert policy.epoch(SITE, 1.0 + LEASE_S * (1 - MARGIN) - 0.01) == 1


def test_it_is_believed_until_a_margin_before_its_end_counted_from_the_question(policy: LeasePolicy) -> None:
    policy.due(0.0)
    policy.take([Answer(SITE, 1)], 0.0, 0.8)
    end_s = LEASE_S * (1 - MARGIN)
    assert policy.epoch(SITE, end_s - 0.001) == 1
    assert policy.epoch(SITE, end_s) is None, "even before anybody was told"
    policy.due(2.4)
    assert policy.wake_s(2.4) == end_s
    assert policy.expire(end_s) == [Change(SITE, 1, Reason.EXPIRED)]
    assert policy.expire(end_s) == []


def test_after_a_long_stop_it_asks_anew_and_does_not_renew(policy: LeasePolicy) -> None:
    held(policy)
    assert policy.expire(20.0) == [Change(SITE, 1, Reason.EXPIRED)]
    assert policy.due(20.0) == [Ask(SITE, None)]


def test_an_answer_that_comes_too_late_is_no_lease(policy: LeasePolicy) -> None:
    policy.due(0.0)
    changes = policy.take([Answer(SITE, 1)], 0.0, 2.6)
    assert [change.reason for change in changes] == [Reason.TAKEN, Reason.EXPIRED]
    assert policy.epoch(SITE, 2.6) is None


def test_the_database_s_no_ends_it_at_once(policy: LeasePolicy) -> None:
    held(policy)
    policy.due(1.0)
    assert policy.take([Answer(SITE, None, 2.0)], 1.0, 1.0) == [Change(SITE, 1, Reason.REFUSED)]
    assert policy.epoch(SITE, 1.0) is None


def test_a_renewal_with_another_epoch_is_a_loss_and_a_taking(policy: LeasePolicy) -> None:
    held(policy)
    policy.due(1.0)
    changes = policy.take([Answer(SITE, 3)], 1.0, 1.0)
    assert changes == [Change(SITE, 1, Reason.REFUSED), Change(SITE, 3, Reason.TAKEN)]


def test_a_stand_by_asks_when_the_other_s_lease_ends_and_each_turn_before(policy: LeasePolicy) -> None:
    policy.due(0.0)
    policy.take([Answer(SITE, None, 2.5)], 0.0, 0.0)
    assert policy.wake_s(0.0) == 1.0, "it may be given back early"
    policy.due(1.0)
    policy.take([Answer(SITE, None, 0.4)], 1.0, 1.0)
    assert policy.wake_s(1.0) == pytest.approx(1.45)


def test_only_named_sites_are_asked_for() -> None:
    policy = LeasePolicy(LEASE_S, ["one", "two"], no_jitter)
    policy.hear("three", 0.0)
    assert [ask.site for ask in policy.due(0.0)] == ["one", "two"]


def test_a_site_beyond_the_cap_is_counted(policy: LeasePolicy) -> None:
    for number in range(MAX_SITES + 3):
        policy.hear(f"site-{number}", 0.0)
    assert len(policy.due(0.0)) == MAX_SITES
    assert policy.refused_sites == 4
    policy.hear(SITE, 1.0)
    assert policy.refused_sites == 4


def test_a_release_gives_everything_back(policy: LeasePolicy) -> None:
    held(policy, epoch=7)
    assert policy.release() == [Change(SITE, 7, Reason.RELEASED)]
    assert policy.epoch(SITE, 0.1) is None
    assert policy.release() == []


class Row:
    """The row of the database: who, which epoch, until when."""

    def __init__(self) -> None:
        self.holder, self.epoch, self.until_s = "", 0, 0.0

    def ask(self, holder: str, ask: Ask, now_s: float) -> Answer:
        is_renewed = ask.epoch == self.epoch and holder == self.holder and now_s < self.until_s
        if not is_renewed and (now_s >= self.until_s or holder == self.holder):
            self.holder, self.epoch = holder, self.epoch + 1
            is_renewed = True
        if not is_renewed:
            return Answer(ask.site, None, self.until_s - now_s)
        self.until_s = now_s + LEASE_S
        return Answer(ask.site, self.epoch)


def run(seed: int, *, is_margin_kept: bool = True) -> int:
    """Let three processes go on, with pauses and slow questions; return the moments with two judges.

    A pause is what a stopped process or a frozen disk does: nothing happens in it, then everything at once.
    """
    rng = random.Random(seed)
    row = Row()
    names = ["a", "b", "c"]
    policies = {name: LeasePolicy(LEASE_S, [SITE], rng.random) for name in names}
    free_s = dict.fromkeys(names, 0.0)
    pending: dict[str, tuple[float, float, list[Answer]]] = {}
    doubles = 0
    step_s = 0.02
    for number in range(3_000):
        now_s = number * step_s
        for name in names:
            if now_s < free_s[name]:
                continue
            if rng.random() < 0.002:
                free_s[name] = now_s + rng.uniform(0.5, 8.0)
                continue
            policy = policies[name]
            if name in pending and now_s >= pending[name][1]:
                asked_s, _, answers = pending.pop(name)
                policy.take(answers, asked_s if is_margin_kept else now_s, now_s)
            policy.expire(now_s)
            asks = policy.due(now_s) if name not in pending else []
            if asks:
                answers = [row.ask(name, ask, now_s) for ask in asks]
                pending[name] = (now_s, now_s + rng.uniform(0.0, 0.9), answers)
        judges = [name for name in names if now_s >= free_s[name] and policies[name].epoch(SITE, now_s) is not None]
        doubles += len(judges) > 1
    return doubles


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_two_processes_never_believe_at_once_whatever_stops_them(seed: int) -> None:
    assert run(seed) == 0


def test_counted_from_the_answer_two_would_believe_at_once() -> None:
    assert sum(run(seed, is_margin_kept=False) for seed in range(60)) > 0
