"""A cloud that was away does not make the backlog rest, in virtual time.

Forty silences of 2 to 20 s, one each 45 s; twenty batches of backlog come with each, and live goes on. A batch that was
lost is sent again by its timer, which has grown with the silence: at the latest as long after it as it lasted, and 5 s.
"""

import random

import pytest

from firmware_configs.device import Uplink as UplinkSettings
from gateway.uplink.blame_policy import Blame
from tests.support.simulated_link import Away, Silence, SimulatedLink

SILENCES = 40
EVERY_S = 45.0
BATCHES = 20
RECEIPT_TIMEOUT_S = 5.0
MADE_UP_S = 2.5
"""Slow start and twenty batches of 18 kB at 1 MB/s, some twenty round trips of 0.1 s."""


def silences(away: list[Away], count: int) -> list[Silence]:
    drawn = random.Random(1)
    begins = [20 + EVERY_S * number for number in range(count)]
    return [Silence(at, at + drawn.uniform(2, 20), away[n % len(away)]) for n, at in enumerate(begins)]


def overdue(away: list[Away], count: int = SILENCES) -> list[float]:
    """Return the beginnings of the silences whose backlog outlasted what the link and the timers allow, s."""
    link = SimulatedLink(1_000_000, UplinkSettings(), backlog_batches=BATCHES, silences=silences(away, count))
    found = []
    for one in link.silences:
        link.run(one.begins_s - link.now)
        link.backlog_batches += BATCHES
        link.run(one.ends_s - link.now)
        timer_s = one.ends_s - one.begins_s + RECEIPT_TIMEOUT_S if one.away is Away.KILLED else 0.0
        link.run(min(timer_s + MADE_UP_S, one.begins_s + EVERY_S - link.now))
        if link.waiting_backlog():
            found.append(one.begins_s)
    return found


@pytest.mark.parametrize("away", [[Away.STOPPED], [Away.KILLED], [Away.CUT], list(Away)])
def test_after_each_silence_the_backlog_is_gone_as_soon_as_the_link_allows(away: list[Away]) -> None:
    assert overdue(away) == []


def test_mutation_proof_an_answer_lost_with_the_cloud_must_not_count_as_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Blame, "missed", lambda self, *_, **__: self._add(1))
    assert overdue([Away.KILLED])


def test_mutation_proof_an_answer_late_by_a_silence_must_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Blame, "_explained_s", lambda *_: float("inf"))
    assert overdue([Away.STOPPED], 10)
