from collections.abc import Sequence

from contracts.errors import LinkError
from contracts.payloads import HealthEvent
from contracts.records import Observation
from edge_agent.clock import ClockProbe, Stamper
from gateway.counters import Counters
from gateway.health.journal import MAX_WAITING, Journal
from gateway.outbox.models import Appended


class Sink:
    """The outbox's door, with failures before and after the commit."""

    def __init__(self) -> None:
        self.stored: list[Observation] = []
        self.failure = ""

    async def append(self, source: str, run_id: str, last_no: int, observations: Sequence[Observation]) -> Appended:
        assert source == "gateway"
        assert run_id
        if self.failure == "before commit":
            raise LinkError("append", source, "full", "", "disk")
        known = len(self.stored) - (last_no - len(observations))
        assert known >= 0
        self.stored += observations[known:]
        if self.failure == "after commit":
            raise LinkError("append", source, "no answer", "", "disk")
        return Appended(last_no)


def journal(sink: Sink, counters: Counters) -> Journal:
    return Journal("gateway", sink, Stamper("gateway", None, "b", ClockProbe(lambda: None)), counters)


def event(number: int) -> HealthEvent:
    return HealthEvent(subject=f"s{number}", is_healthy=True)


async def test_events_wait_while_the_disk_does_not_take_them() -> None:
    sink, counters = Sink(), Counters()
    book = journal(sink, counters)
    book.write(event(1))
    sink.failure = "before commit"
    assert not await book.flush()
    book.write(event(2))
    sink.failure = ""
    assert await book.flush()
    assert await book.flush()
    assert [item.payload for item in sink.stored] == [event(1), event(2)]


async def test_an_answer_that_was_lost_repeats_nothing() -> None:
    sink, counters = Sink(), Counters()
    book = journal(sink, counters)
    book.write(event(1))
    sink.failure = "after commit"
    assert not await book.flush()
    book.write(event(2))
    sink.failure = ""
    assert await book.flush()
    assert await book.flush()
    assert [item.payload for item in sink.stored] == [event(1), event(2)]


async def test_the_waiting_room_is_bounded_and_counts_what_it_turns_away() -> None:
    counters = Counters()
    book = journal(Sink(), counters)
    for number in range(MAX_WAITING + 3):
        book.write(event(number))
    assert counters.total("journal_dropped") == 3
