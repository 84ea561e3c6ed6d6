"""What a stream's balance says, case by case."""

from typing import Any

import msgspec
import pytest

from cloud_api.accounting.models import GatewayStanding, Moment, OpenStream, Verdict
from cloud_api.accounting.policy import Accountant
from cloud_api.history.models import SeqRange, StreamBalance
from cloud_api.history.ranges import total
from contracts.health import StreamStatus
from tests.support.batches import START_NS, STREAM
from tests.support.statuses import status

OLD_STREAM = STREAM.replace("abcd1234", "old00000")


class Bench:
    """An accountant, a history and a clock."""

    def __init__(self) -> None:
        self.accountant = Accountant()
        self.history: dict[str, StreamBalance] = {}
        self.now_s = 0.0

    def report(
        self,
        next_seq: int,
        held: list[tuple[int, int]] | None,
        stream: str = STREAM,
        *,
        is_volatile: bool = False,
        **more: Any,
    ) -> None:
        streams = [StreamStatus(stream_id=stream, next_seq=next_seq, buffered_ranges=held, **more)]
        told = msgspec.structs.replace(status(), streams=streams, is_volatile=is_volatile)
        self.accountant.hear(told, self.utc_ns())

    def receive(self, *ranges: tuple[int, int], stream: str = STREAM, declared: dict[str, int] | None = None) -> None:
        covered = [SeqRange(*one) for one in ranges]
        self.history[stream] = StreamBalance(
            stream, covered[-1].last_seq, total(covered), declared or {}, covered
        )  # fmt: skip

    def look(self, after_s: float = 5.0) -> GatewayStanding:
        self.now_s += after_s
        moment = Moment(self.utc_ns(), self.now_s)
        (found,) = self.accountant.judge(self.accountant.reports(), list(self.history.values()), moment)
        return found

    def settle(self, next_seq: int, held: list[tuple[int, int]] | None) -> GatewayStanding:
        """Report and look until any suspicion has been confirmed."""
        for _ in range(4):
            self.report(next_seq, held)
            standing = self.look(6.0)
        return standing

    def utc_ns(self) -> int:
        return START_NS + int(self.now_s * 1e9)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_all_received_is_whole(bench: Bench) -> None:
    bench.receive((1, 100))
    standing = bench.settle(101, [])
    assert (standing.verdict, standing.produced, standing.received, standing.buffered) == (Verdict.WHOLE, 100, 100, 0)


def test_what_the_gateway_holds_is_buffered(bench: Bench) -> None:
    bench.receive((1, 40), (91, 100))
    standing = bench.settle(101, [(41, 90)])
    assert (standing.verdict, standing.buffered, standing.missing) == (Verdict.BUFFERED, 50, 0)


def test_what_nobody_holds_is_missing_with_its_ranges_and_since_when(bench: Bench) -> None:
    bench.receive((1, 40), (91, 100))
    bench.report(101, [(41, 60), (81, 90)])
    assert bench.look().verdict is Verdict.BUFFERED
    began_ns = bench.utc_ns()
    standing = bench.settle(101, [(41, 60), (81, 90)])
    assert (standing.verdict, standing.missing, standing.since_ns) == (Verdict.MISSING, 20, began_ns)
    assert standing.streams[0].ranges == (SeqRange(61, 80),)
    assert standing.buffered == 30


@pytest.mark.parametrize("is_declared", [True, False])
def test_an_alarm_clears_when_its_numbers_are_declared_or_received(bench: Bench, *, is_declared: bool) -> None:
    bench.receive((1, 40), (91, 100))
    assert bench.settle(101, []).verdict is Verdict.MISSING
    bench.receive((1, 100), declared={"damaged": 50} if is_declared else {})
    standing = bench.look()
    assert (standing.verdict, standing.since_ns) == (Verdict.WHOLE, None)
    assert standing.declared == ({"damaged": 50} if is_declared else {})


def test_declared_losses_that_grow_are_dated(bench: Bench) -> None:
    bench.receive((1, 100), declared={"thinned": 10})
    bench.report(101, [])
    assert bench.look().declared_at_ns is None
    bench.receive((1, 110), declared={"thinned": 10, "kept_elsewhere": 10})
    standing = bench.look()
    assert (standing.declared_at_ns, standing.declared, standing.kept_elsewhere) == (None, {"thinned": 10}, 10)
    assert standing.streams[0].kept_elsewhere == 10
    assert standing.produced == standing.received + sum(standing.declared.values()) + standing.kept_elsewhere
    bench.receive((1, 120), declared={"thinned": 30})
    assert bench.look().declared_at_ns == bench.utc_ns()


def test_a_report_older_than_the_batches_says_nothing_of_them(bench: Bench) -> None:
    bench.report(51, [(41, 50)])
    bench.receive((1, 50), (61, 70))
    standing = [bench.look(10.0) for _ in range(6)][-1]
    assert standing.verdict is Verdict.BUFFERED
    assert standing.buffered == 10


def test_a_gateway_of_an_earlier_version_is_believed_while_it_holds_anything(bench: Bench) -> None:
    bench.receive((1, 50), (61, 70))
    for _ in range(4):
        bench.report(71, None, buffered_records=3)
        assert not bench.look(10.0).verdict.is_alarm
    for _ in range(4):
        bench.report(71, None)
        standing = bench.look(10.0)
    assert standing.verdict is Verdict.MISSING


def test_the_lowest_number_alone_shows_holes_below_it(bench: Bench) -> None:
    bench.receive((1, 50), (61, 70))
    for _ in range(4):
        bench.report(91, None, oldest_seq=71, buffered_records=20)
        standing = bench.look(6.0)
    assert (standing.verdict, standing.missing, standing.buffered) == (Verdict.MISSING, 10, 20)


def test_a_gateway_that_was_never_heard_is_no_alarm(bench: Bench) -> None:
    bench.receive((1, 50), (61, 70))
    assert [bench.look(30.0).verdict for _ in range(4)][-1] is Verdict.UNKNOWN


def test_a_report_without_streams_says_nothing(bench: Bench) -> None:
    bench.receive((1, 50))
    bench.report(101, [(51, 100)])
    bench.look()
    for _ in range(5):
        bench.accountant.hear(status(), bench.utc_ns())
        assert bench.look(20.0).verdict is Verdict.BUFFERED


def test_a_number_that_is_unexplained_for_a_moment_is_no_alarm(bench: Bench) -> None:
    """A gateway that counts before it has written: each report leaves out its newest numbers."""
    for seq in range(100, 1000, 50):
        bench.receive((1, seq))
        bench.report(seq + 11, [])
        assert not bench.look().verdict.is_alarm


def test_a_gateway_that_counts_from_lower_again_is_an_alarm(bench: Bench) -> None:
    bench.receive((1, 100))
    bench.settle(101, [])
    assert bench.settle(51, []).verdict is Verdict.WENT_BACK
    assert bench.settle(101, []).verdict is Verdict.WHOLE


def test_the_last_word_of_a_gateway_may_be_older_than_its_batches(bench: Bench) -> None:
    bench.receive((1, 100))
    bench.report(101, [])
    bench.look()
    bench.receive((1, 150))
    assert [bench.look(30.0).verdict for _ in range(5)][-1] is Verdict.WHOLE


def test_an_older_store_that_drained_is_forgotten(bench: Bench) -> None:
    bench.receive((1, 50))
    bench.receive((1, 100), stream=OLD_STREAM)
    standing = bench.settle(51, [])
    assert standing.verdict is Verdict.WHOLE
    assert bench.accountant.open_streams() == []


def test_an_older_store_that_vanished_with_a_backlog_is_an_alarm_after_a_new_start_too(bench: Bench) -> None:
    bench.receive((1, 50), stream=OLD_STREAM)
    bench.report(101, [(51, 100)], OLD_STREAM)
    bench.look()
    (kept,) = bench.accountant.open_streams()
    assert kept == OpenStream(OLD_STREAM, 100, None)
    bench.accountant = Accountant()
    bench.accountant.restore([kept])
    bench.receive((1, 10))
    standing = bench.settle(11, [])
    assert (standing.verdict, standing.missing) == (Verdict.VANISHED, 50)


def test_a_gateway_whose_disk_does_not_answer_has_not_lost_what_lies_there(bench: Bench) -> None:
    """Its list holds the streams of its memory only; when it is no longer volatile, silence about the disk counts."""
    bench.receive((1, 50), stream=OLD_STREAM)
    bench.report(101, [(51, 100)], OLD_STREAM)
    bench.look()
    for _ in range(8):
        bench.report(5, [(1, 4)], is_volatile=True)
        assert bench.look(6.0).verdict is Verdict.BUFFERED
    assert bench.settle(5, [(1, 4)]).verdict is Verdict.VANISHED


def test_an_alarm_keeps_its_beginning_over_a_new_start(bench: Bench) -> None:
    bench.receive((1, 50), (61, 100))
    began_ns = bench.settle(101, []).since_ns
    kept = bench.accountant.open_streams()
    bench.accountant = Accountant()
    bench.accountant.restore(kept)
    assert bench.look().verdict is Verdict.UNKNOWN
    assert bench.settle(101, []).since_ns == began_ns


def test_streams_that_are_not_the_gateways_own_are_not_taken(bench: Bench) -> None:
    bench.report(10, [], "puerto-demo.gw-2.abcd1234.track")
    bench.report(10, [], "no stream at all")
    assert bench.accountant.judge(bench.accountant.reports(), [], Moment(0, 0.0)) == []
