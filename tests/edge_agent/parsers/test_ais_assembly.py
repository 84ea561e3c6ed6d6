"""Assembly: parts in any order within a window, and never a ship made of two."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.parsers import ais_assembly
from edge_agent.parsers.ais import decode_ais
from edge_agent.parsers.ais_assembly import MAX_PENDING, AisAssembler, AisMessage
from edge_agent.parsers.nmea_frame import Sentence, SentenceFramer
from edge_agent.parsers.rejects import RejectLedger
from tests.support.nmea_lines import ais_lines, sentence, static, tagged, vdm

SECOND_NS = 1_000_000_000


class Bench:
    """An assembler that is fed lines."""

    def __init__(self, window_s: float = 2.0) -> None:
        self.ledger = RejectLedger()
        self.framer = SentenceFramer(self.ledger)
        self.assembler = AisAssembler(self.ledger, window_s=window_s)
        self.messages: list[AisMessage] = []

    def feed(self, line: bytes, at_s: float = 0.0) -> AisMessage | None:
        (item,) = self.framer.feed(line)
        return self.feed_sentence(item, at_s)

    def feed_sentence(self, item: Sentence, at_s: float = 0.0) -> AisMessage | None:
        message = self.assembler.add(item, int(at_s * SECOND_NS))
        if message is not None:
            self.messages.append(message)
        return message

    @property
    def names(self) -> list[tuple[str | None, str | None]]:
        decoded = [decode_ais(message) for message in self.messages]
        return [(item.name, item.destination) for item in decoded]

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.ledger.counts)


def identity(name: str) -> tuple[str, str]:
    return name, (name * 20)[:20]


def test_two_parts_make_one_message_with_both_sentences_as_evidence() -> None:
    bench = Bench()
    first, second = static(219000001, "ALPHA")
    assert bench.feed(first) is None
    message = bench.feed(second, 1.9)
    assert message is not None
    assert message.raw == f"{first.decode().strip()}\n{second.decode().strip()}"
    assert (message.talker, message.is_own, message.channel) == ("AI", False, "A")
    assert bench.names == [identity("ALPHA")]
    assert bench.assembler.pending == 0


def test_parts_in_any_order_make_the_message() -> None:
    lines = ais_lines({"type": 14, "mmsi": 219000001, "text": "MAN OVERBOARD NEAR BUOY 7 " * 5})
    assert len(lines) == 3
    for order in permutations(lines):
        bench = Bench()
        for line in order:
            bench.feed(line)
        assert len(bench.messages) == 1
        assert str(decode_ais(bench.messages[0]).other["text"]).startswith("MAN OVERBOARD NEAR BUOY 7")
        assert bench.counts == {}


def test_a_part_that_waited_too_long_is_counted_and_joins_nothing() -> None:
    """Part 1 of ALPHA at 0 s; at 2.1 s part 2 of YANKEE with the same sequence id: four other decoders make a ship."""
    bench = Bench()
    bench.feed(static(219000001, "ALPHA")[0], 0.0)
    assert bench.feed(static(219000002, "YANKEE")[1], 2.1) is None
    assert bench.counts == {"fragment_incomplete": 1}
    bench.assembler.expire(int(4.2 * SECOND_NS))
    assert bench.counts == {"fragment_incomplete": 2}


def test_without_the_window_the_two_ships_would_be_one() -> None:
    bench = Bench(window_s=60.0)
    bench.feed(static(219000001, "ALPHA")[0], 0.0)
    bench.feed(static(219000002, "YANKEE")[1], 2.1)
    ((name, destination),) = bench.names
    assert name == "ALPHA"
    assert destination not in (None, identity("ALPHA")[1])


def test_a_part_that_differs_from_the_one_held_drops_what_was_held() -> None:
    """Part 2 of ALPHA is lost; part 1 of YANKEE follows within the window under the same key."""
    bench = Bench()
    bench.feed(static(219000001, "ALPHA")[0])
    for line in static(219000002, "YANKEE"):
        bench.feed(line, 0.5)
    assert bench.names == [identity("YANKEE")]
    assert bench.counts == {"fragment_conflict": 1}


@pytest.mark.parametrize("field", ["channel", "seq_id", "talker", "own", "source"])
def test_parts_that_differ_in_any_field_of_the_key_are_not_joined(field: str) -> None:
    first, second = static(219000001, "ALPHA")
    changed = {
        "channel": vdm(second.split(b",")[5].decode(), count=2, number=2, seq="1", channel="B"),
        "seq_id": vdm(second.split(b",")[5].decode(), count=2, number=2, seq="2"),
        "talker": sentence(second.decode()[1:].split("*")[0].replace("AI", "AB"), "!"),
        "own": sentence(second.decode()[1:].split("*")[0].replace("VDM", "VDO"), "!"),
        "source": tagged("s:other", second),
    }[field]
    bench = Bench()
    bench.feed(tagged("s:one", first) if field == "source" else first)
    assert bench.feed(changed) is None
    assert bench.assembler.pending == 2
    bench.assembler.close()
    assert bench.counts == {"fragment_incomplete": 2}


def test_the_group_of_the_tag_block_joins_parts_of_which_only_the_first_names_its_source() -> None:
    first, second = static(219000001, "ALPHA")
    bench = Bench()
    bench.feed(tagged("g:1-2-77,s:r1", first))
    bench.feed(tagged("g:2-2-77", second))
    assert bench.names == [identity("ALPHA")]


def test_a_straggling_duplicate_of_a_part_is_counted_and_does_not_join_the_next_ship() -> None:
    """A1 A2 → ALPHA; A2 again (another receiver); then Y1 Y2 under the same key."""
    bench = Bench()
    first, second = static(219000001, "ALPHA")
    for line in (first, second, second):
        bench.feed(line)
    for line in static(219000002, "YANKEE"):
        bench.feed(line, 0.5)
    assert bench.names == [identity("ALPHA"), identity("YANKEE")]
    assert bench.counts == {"fragment_duplicate": 1}


def test_without_the_memory_of_the_last_message_the_straggler_would_make_a_false_ship(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(AisAssembler, "_remember", lambda *_: None)
    bench = Bench()
    first, second = static(219000001, "ALPHA")
    for line in (first, second, second, static(219000002, "YANKEE")[0]):
        bench.feed(line)
    assert ("YANKEE", identity("YANKEE")[1]) not in bench.names
    assert [name for name, _ in bench.names] == ["ALPHA", "YANKEE"]


def test_a_message_that_is_sent_again_whole_is_given_again() -> None:
    bench = Bench()
    for line in static(219000001, "ALPHA") * 2:
        bench.feed(line)
    assert bench.names == [identity("ALPHA")] * 2
    assert bench.counts == {}


def test_a_part_received_twice_is_counted_and_the_message_still_made() -> None:
    bench = Bench()
    first, second = static(219000001, "ALPHA")
    for line in (first, first, second):
        bench.feed(line)
    lines = ais_lines({"type": 14, "mmsi": 219000001, "text": "MAN OVERBOARD NEAR BUOY 7 " * 5})
    for line in (lines[0], lines[1], lines[0], lines[2]):
        bench.feed(line)
    assert len(bench.messages) == 2
    assert bench.counts == {"fragment_duplicate": 2}


def test_incomplete_messages_are_capped_and_the_oldest_is_dropped_and_counted() -> None:
    bench = Bench()
    for index in range(MAX_PENDING + 5):
        bench.feed(tagged(f"s:r{index}", static(219000001, "ALPHA")[0]))
    assert bench.assembler.pending == MAX_PENDING
    assert bench.counts == {"fragment_evicted": 5}
    bench.feed(tagged("s:r0", static(219000001, "ALPHA")[1]))
    assert bench.messages == []


def test_what_is_remembered_of_finished_messages_is_capped_too() -> None:
    bench = Bench()
    for index in range(MAX_PENDING + 5):
        for line in static(219000001, "ALPHA"):
            bench.feed(tagged(f"s:r{index}", line))
    assert len(bench.assembler._done) == MAX_PENDING
    bench.assembler.expire(10 * SECOND_NS)
    assert bench.assembler._done == {}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (vdm("13nUgBW", count=0, number=0), "bad_field"),
        (vdm("13nUgBW", count=1, number=2), "bad_field"),
        (vdm("13nUgBW", count=10, number=1), "bad_field"),
        (vdm("13nUgBW", fill=6), "ais_bad_payload"),
        (vdm("1" * 201), "ais_too_long"),
        (sentence("AIVDM,1,1,,A", "!"), "bad_field"),
        (sentence("AIVDM,x,1,,A,13nUgBW,0", "!"), "bad_field"),
        (sentence("AIVDM,1,1,,A,13nUgBW,x", "!"), "ais_bad_payload"),
    ],
)
def test_impossible_fields_are_counted_by_reason(line: bytes, reason: str) -> None:
    bench = Bench()
    assert bench.feed(line) is None
    assert bench.counts == {reason: 1}


def test_a_plotter_that_numbers_single_sentences_and_names_no_channel_is_read() -> None:
    bench = Bench()
    message = bench.feed(sentence("AIVDM,1,1,3,,13aI8e?P00PGpU:NR6s00?vT2000,0,0", "!"))
    assert message is not None
    assert message.channel is None


def ids_go_round(lost: int) -> Bench:
    """Thirteen ships in 0.65 s by a busy receiver, sequence ids 0 to 9; ships 0 and 10 lose one part each."""
    bench = Bench()
    for index in range(13):
        lines = static(219000000 + index, f"SHIP {chr(65 + index) * 3}", seq_id=index % 10)
        if index == 0:
            del lines[lost]
        if index == 10:
            del lines[1 - lost]
        for line in lines:
            bench.feed(line, index * 0.05)
    return bench


@pytest.mark.parametrize("lost", [0, 1])
def test_sequence_ids_that_go_round_within_the_window_join_no_two_ships(lost: int) -> None:
    bench = ids_go_round(lost)
    assert len(bench.names) == 11
    assert all(name is not None and (name, destination) == identity(name) for name, destination in bench.names)
    bench.assembler.close()
    assert bench.counts == {"fragment_incomplete": 2}


@pytest.mark.parametrize("lost", [0, 1])
def test_without_counting_later_messages_they_would(lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ais_assembly, "MAX_LATER_STARTS", 99)
    monkeypatch.setattr(ais_assembly, "MAX_LATER_STARTS_HEADLESS", 99)
    assert any((name, destination) != identity(str(name)) for name, destination in ids_go_round(lost).names)


@given(seed=st.integers(0, 10_000), loss=st.sampled_from([0.0, 0.05, 0.3]))
def test_ships_of_one_receiver_are_never_mixed_whatever_is_lost_swapped_or_repeated(seed: int, loss: float) -> None:
    """Twelve ships a round, a message every 0.4 s, sequence ids 0 to 9: an id comes again after the window."""
    draw = random.Random(seed)
    arrivals: list[tuple[float, bytes]] = []
    for index in range(24):
        for line in static(219000000 + index, f"SHIP{chr(65 + index) * 3}", seq_id=index % 10):
            arrivals.extend((index * 0.4 + draw.random() * 0.3, line) for _ in range(draw.choice((1, 1, 1, 2))))
    bench = Bench()
    for at_s, line in sorted(arrivals):
        if draw.random() >= loss:
            bench.feed(line, at_s)
    for name, destination in bench.names:
        assert name is not None
        assert (name, destination) == identity(name)
    if loss == 0:
        assert {name for name, _ in bench.names} == {f"SHIP{chr(65 + index) * 3}" for index in range(24)}
