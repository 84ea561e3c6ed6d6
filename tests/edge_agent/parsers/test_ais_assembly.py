"""Assembly: parts in any order within a window, and never a ship made of two."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.parsers import ais_assembly
from edge_agent.parsers.ais import decode_ais
from edge_agent.parsers.ais_assembly import MAX_GROUPS, MAX_PARTS, MAX_RUN_PARTS, AisAssembler, AisMessage
from edge_agent.parsers.nmea_frame import SentenceFramer
from edge_agent.parsers.rejects import RejectLedger
from tests.support.nmea_lines import ais_lines, sentence, static, tagged, vdm

SECOND_NS = 1_000_000_000
TEXT = "MAN OVERBOARD NEAR BUOY 7 " * 5


class Bench:
    """An assembler that is fed lines, each at its time."""

    def __init__(self, window_s: float = 0.1) -> None:
        self.ledger = RejectLedger()
        self.framer = SentenceFramer(self.ledger)
        self.assembler = AisAssembler(self.ledger, window_s=window_s)
        self.messages: list[AisMessage] = []

    def feed(self, line: bytes, at_s: float = 0.0) -> None:
        for item in self.framer.feed(line):
            now_ns = round(at_s * SECOND_NS)
            message = self.assembler.add(item, now_ns)
            self.messages += ([message] if message is not None else []) + self.assembler.take(now_ns)

    def end(self) -> "Bench":
        self.messages += self.assembler.close()
        return self

    @property
    def names(self) -> list[tuple[str | None, str | None]]:
        decoded = [decode_ais(message) for message in self.messages]
        return [(item.name, item.destination) for item in decoded]

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.ledger.counts)


def fed(*lines: tuple[float, bytes], window_s: float = 0.1) -> Bench:
    bench = Bench(window_s)
    for at_s, line in lines:
        bench.feed(line, at_s)
    return bench.end()


def identity(name: str) -> tuple[str, str]:
    return name, (name * 20)[:20]


A1, A2 = static(219000001, "ALPHA")
Y1, Y2 = static(219000002, "YANKEE")
ALPHA, YANKEE = identity("ALPHA"), identity("YANKEE")


def test_two_parts_make_one_message_with_both_sentences_as_evidence_once_no_other_can_come() -> None:
    bench = Bench()
    bench.feed(A1, 1.0)
    bench.feed(A2, 1.05)
    assert bench.assembler.due_ns is not None
    assert bench.assembler.due_ns <= 1_150_000_000
    assert bench.assembler.take(1_150_000_000) == []
    (message,) = bench.assembler.take(1_150_000_001)
    assert message.raw == f"{A1.decode().strip()}\n{A2.decode().strip()}"
    assert (message.talker, message.is_own, message.channel) == ("AI", False, "A")
    assert message.arrived_ns == 1_050_000_000
    assert bench.assembler.pending == 0
    assert Bench().assembler.due_ns is None


def test_parts_in_any_order_make_the_message() -> None:
    lines = ais_lines({"type": 14, "mmsi": 219000001, "text": TEXT})
    assert len(lines) == 3
    for order in permutations(lines):
        bench = fed(*((index * 0.04, line) for index, line in enumerate(order)))
        assert len(bench.messages) == 1
        assert str(decode_ais(bench.messages[0]).other["text"]).startswith("MAN OVERBOARD NEAR BUOY 7")
        assert bench.counts == {}


def test_a_part_that_waited_too_long_is_counted_and_joins_nothing() -> None:
    """Part 1 of ALPHA, later part 2 of YANKEE with the same sequence id: four other decoders make a ship."""
    bench = fed((0.0, A1), (0.101, Y2))
    assert bench.messages == []
    assert bench.counts == {"fragment_incomplete": 2}


def test_without_the_window_the_two_ships_would_be_one() -> None:
    ((name, destination),) = fed((0.0, A1), (0.101, Y2), window_s=60.0).names
    assert name == "ALPHA"
    assert destination not in (None, ALPHA[1])


@pytest.mark.parametrize(
    ("lines", "names", "counts"),
    [
        ([A1, Y1, Y2], [], {"fragment_ambiguous": 3}),
        ([A1, Y2, A2], [], {"fragment_ambiguous": 3}),
        ([A1, Y1, A2, Y2], [], {"fragment_ambiguous": 4}),
        ([A1, Y1, Y2, A2], [], {"fragment_ambiguous": 4}),
        ([A1, A2, Y1, Y2], [ALPHA, YANKEE], {}),
        ([A2, Y1, Y2], [YANKEE], {"fragment_incomplete": 1}),
        ([A1, A2, Y1], [ALPHA], {"fragment_incomplete": 1}),
        ([A2, Y2, A1], [], {"fragment_ambiguous": 3}),
        ([A1, A1, A2], [ALPHA], {"fragment_duplicate": 1}),
        ([A1, A2, A2], [ALPHA], {"fragment_duplicate": 1}),
        ([A1, A2, A1, A2], [ALPHA, ALPHA], {}),
        ([A2, A1], [ALPHA], {}),
        ([A1, Y1], [], {"fragment_incomplete": 2}),
    ],
)
def test_what_one_explanation_covers_is_used_and_what_two_could_is_discarded(
    lines: list[bytes], names: list[tuple[str, str]], counts: dict[str, int]
) -> None:
    """All within the window, under one key: nobody knows how many receivers write."""
    bench = fed(*((index * 0.01, line) for index, line in enumerate(lines)))
    assert bench.names == names
    assert bench.counts == counts


def test_the_gap_tells_apart_what_the_key_does_not() -> None:
    """A1 at 0, Y1 at 60, A2 at 70, Y2 at 150 ms: Y2 is too late for A1, so there is only one explanation."""
    assert fed((0.0, A1), (0.06, Y1), (0.07, A2), (0.15, Y2)).names == [ALPHA, YANKEE]


def test_ships_with_equal_second_parts_are_no_riddle() -> None:
    fields = {"type": 5, "shipname": "X", "destination": "VALENCIA"}
    one, other = (ais_lines({**fields, "mmsi": mmsi}) for mmsi in (219000001, 219000002))
    assert one[1] == other[1]
    bench = fed(*((index * 0.01, line) for index, line in enumerate((one[0], other[0], one[1], other[1]))))
    assert [decode_ais(message).mmsi for message in bench.messages] == [219000001, 219000002]
    assert bench.counts == {}


def test_in_a_stream_of_several_receivers_swapped_parts_are_not_believed() -> None:
    mixed = ((0.0, A1), (0.01, Y1), (0.02, A2), (0.03, Y2))
    assert fed((5.0, A2), (5.03, A1)).names == [ALPHA]
    bench = fed(*mixed, (5.0, A2), (5.03, A1), (9.0, A1), (9.03, A2))
    assert bench.names == [ALPHA]
    assert bench.counts == {"fragment_ambiguous": 4, "fragment_incomplete": 2}
    assert fed(*mixed, (700.0, A2), (700.03, A1)).names == [ALPHA]


def test_in_a_stream_of_several_receivers_a_gap_longer_than_its_habit_is_not_believed() -> None:
    habit = [line for index in range(140) for line in ((10.0 + index, A1), (10.03 + index, A2))]
    mixed = [(200.0, A1), (200.01, Y1), (200.02, A2), (200.03, Y2)]
    late = [(210.0, A1), (210.05, Y2)]
    assert len(fed(*habit, *late).messages) == 141
    assert len(fed(*habit, *mixed, *late).messages) == 140


@pytest.mark.parametrize("field", ["channel", "seq_id", "talker", "own", "source"])
def test_parts_that_differ_in_any_field_of_the_key_are_not_joined(field: str) -> None:
    payload = A2.split(b",")[5].decode()
    changed = {
        "channel": vdm(payload, count=2, number=2, seq="1", channel="B"),
        "seq_id": vdm(payload, count=2, number=2, seq="2"),
        "talker": sentence(A2.decode()[1:].split("*")[0].replace("AI", "AB"), "!"),
        "own": sentence(A2.decode()[1:].split("*")[0].replace("VDM", "VDO"), "!"),
        "source": tagged("s:other", A2),
    }[field]
    bench = Bench()
    bench.feed(tagged("s:one", A1) if field == "source" else A1)
    bench.feed(changed)
    assert bench.assembler.pending == 2
    assert bench.end().messages == []
    assert bench.counts == {"fragment_incomplete": 2}


def test_the_group_of_a_tag_block_gives_a_part_the_source_that_only_the_first_names() -> None:
    bench = fed((0.0, tagged("g:1-2-77,s:r1", A1)), (0.03, tagged("g:2-2-77", A2)))
    assert bench.names == [ALPHA]
    assert bench.messages[0].receiver == "r1"


def test_a_group_that_two_sources_use_gives_no_source() -> None:
    one, other = tagged("g:1-2-77,s:r1", A1), tagged("g:1-2-77,s:r2", Y1)
    assert fed((0.0, one), (0.01, other), (0.03, tagged("g:2-2-77", A2))).counts == {"fragment_incomplete": 3}
    assert fed((0.0, one), (5.0, other), (5.03, tagged("g:2-2-77", Y2))).names == [YANKEE]


def test_different_groups_of_one_source_are_never_joined_and_a_group_alone_joins_nothing() -> None:
    apart = (0.0, tagged("g:1-2-77,s:r1", A1)), (0.03, tagged("g:2-2-78,s:r1", A2))
    assert fed(*apart).counts == {"fragment_incomplete": 2}
    other_id = static(219000001, "ALPHA", seq_id=2)[1]
    alone = (0.0, tagged("g:1-2-77,s:r1", A1)), (0.03, tagged("g:2-2-77,s:r1", other_id))
    assert fed(*alone).counts == {"fragment_incomplete": 2}


def test_the_stations_of_suffixes_may_be_missing_but_not_differ() -> None:
    def suffixed(line: bytes, station: str) -> bytes:
        return line.strip() + f",{station}\r\n".encode()

    assert fed((0.0, A1), (0.03, suffixed(A2, "b003660465"))).messages[0].receiver == "b003660465"
    assert fed((0.0, suffixed(A1, "r1234")), (0.03, suffixed(A2, "r5678"))).counts == {"fragment_incomplete": 2}


def test_times_of_the_receiver_count_instead_of_arrival() -> None:
    """Two messages of one receiver in one read; and a part that a stalled line brings half a second late."""

    def heard(line: bytes, ms: int) -> bytes:
        return tagged(f"s:r1,c:{1_795_500_000_000 + ms}", line)

    assert fed(*((1.0, heard(line, ms)) for line, ms in ((A1, 0), (Y2, 700)))).counts == {"fragment_incomplete": 2}
    late = fed((1.0, heard(A1, 0)), (1.5, heard(A2, 30)))
    assert late.names == [ALPHA]
    assert late.messages[0].heard_ns == 1_795_500_000_000_000_000
    seconds = [(1.0, tagged("s:r1,c:1795500000", A1)), (1.03, tagged("s:r1,c:1795500002", A2))]
    assert fed(*seconds).counts == {"fragment_incomplete": 2}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (vdm("13nUgBW", count=0, number=0), "bad_field"),
        (vdm("13nUgBW", count=1, number=2), "bad_field"),
        (vdm("13nUgBW", count=10, number=1), "bad_field"),
        (vdm("13nUgBW", fill=6), "ais_bad_payload"),
        (vdm("1" * 201), "ais_too_long"),
        (sentence("AIVDM,1,1,,A", "!"), "bad_field"),
        (sentence("AIVDM,1,1,3,,13aI8e?P00PGpU:NR6s00?vT2000,0,0", "!"), "vdm_extra_field"),
        (sentence("AIVDM,x,1,,A,13nUgBW,0", "!"), "bad_field"),
        (sentence("AIVDM,1,1,,A,13nUgBW,x", "!"), "ais_bad_payload"),
    ],
)
def test_impossible_fields_are_counted_by_reason(line: bytes, reason: str) -> None:
    bench = fed((0.0, line))
    assert bench.messages == []
    assert bench.counts == {reason: 1}


def test_parts_that_wait_are_capped_and_the_oldest_are_ended_and_counted() -> None:
    bench = Bench()
    for index in range(MAX_PARTS + 5):
        bench.feed(tagged(f"s:r{index}", A1))
        assert bench.assembler.pending <= MAX_PARTS
    assert bench.counts == {"fragment_evicted": 5}
    bench.feed(tagged("s:r0", A2))
    assert bench.messages == []


def test_an_early_end_costs_no_message_that_is_whole_already() -> None:
    bench = fed(*((0.0, tagged(f"s:r{index}", line)) for index in range(MAX_PARTS) for line in (A1, A2)))
    assert len(bench.messages) == MAX_PARTS
    assert bench.counts == {}


def test_parts_of_one_key_are_looked_at_a_few_at_a_time() -> None:
    """A replay without times, faster than it was recorded: everything arrives at once, in order."""
    ships = [static(219000000 + index, f"S{index}") for index in range(200)]
    bench = Bench()
    for lines in ships:
        for line in lines:
            bench.feed(line)
            assert bench.assembler.pending <= MAX_RUN_PARTS
    assert [name for name, _ in bench.end().names] == [f"S{index}" for index in range(200)]


def test_a_riddle_of_many_parts_is_given_up_in_bounded_time() -> None:
    lines = [static(219000000 + index, f"S{index}")[0] for index in range(16)]
    lines += [static(219000000 + index, f"S{index}")[1] for index in range(16)]
    assert fed(*((0.0, line) for line in lines)).messages == []


def test_what_is_remembered_of_groups_and_streams_is_capped() -> None:
    bench = Bench()
    for index in range(MAX_GROUPS + 50):
        bench.feed(tagged(f"g:1-2-{index},s:r{index}", A1))
        bench.feed(tagged(f"g:2-2-{index},s:r{index}", A2))
    bench.end()
    assert len(bench.messages) == MAX_GROUPS + 50
    assert len(bench.assembler._mix._streams) <= 256
    bench.assembler._groups.update((str(index), ("r", 0)) for index in range(MAX_GROUPS))
    bench.feed(tagged("g:1-2-9999,s:r", A1))
    assert len(bench.assembler._groups) <= MAX_GROUPS + 1


def ids_go_round(lost: int) -> Bench:
    """Thirteen ships in 0.65 s by a busy receiver, sequence ids 0 to 9; ships 0 and 10 lose one part each."""
    arrivals: list[tuple[float, bytes]] = []
    for index in range(13):
        lines = static(219000000 + index, f"SHIP {chr(65 + index) * 3}", seq_id=index % 10)
        if index == 0:
            del lines[lost]
        if index == 10:
            del lines[1 - lost]
        arrivals += [(index * 0.05, line) for line in lines]
    return fed(*arrivals)


@pytest.mark.parametrize("lost", [0, 1])
def test_sequence_ids_that_go_round_join_no_two_ships(lost: int) -> None:
    bench = ids_go_round(lost)
    assert len(bench.names) == 11
    assert all(name is not None and (name, destination) == identity(name) for name, destination in bench.names)
    assert bench.counts == {"fragment_incomplete": 2}


def test_with_a_window_of_two_seconds_they_would(monkeypatch: pytest.MonkeyPatch) -> None:
    initial = AisAssembler.__init__
    monkeypatch.setattr(
        ais_assembly.AisAssembler, "__init__", lambda self, ledger, **_: initial(self, ledger, window_s=2.0)
    )
    assert any((name, destination) != identity(str(name)) for name, destination in ids_go_round(1).names)


@given(seed=st.integers(0, 10_000), loss=st.sampled_from([0.0, 0.05, 0.3]))
def test_ships_of_one_receiver_are_never_mixed_whatever_is_lost_swapped_or_repeated(seed: int, loss: float) -> None:
    """A message every 50 ms, parts within 40 ms of each other, some twice; an id comes again after half a second."""
    draw = random.Random(seed)
    arrivals: list[tuple[float, bytes]] = []
    for index in range(24):
        for line in static(219000000 + index, f"SHIP{chr(65 + index) * 3}", seq_id=index % 10):
            arrivals.extend((index * 0.05 + draw.random() * 0.04, line) for _ in range(draw.choice((1, 1, 1, 2))))
    bench = fed(*(item for item in sorted(arrivals) if draw.random() >= loss))
    for name, destination in bench.names:
        assert name is not None
        assert (name, destination) == identity(name)
    if loss == 0:
        assert {name for name, _ in bench.names} == {f"SHIP{chr(65 + index) * 3}" for index in range(24)}
