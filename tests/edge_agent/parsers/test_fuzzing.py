"""Any bytes are records or counted rejects: a run of the fuzzer, and every seed that ever failed."""

from pathlib import Path

import pytest

from edge_agent.parsers import nmea_decoder
from tests.bench import fuzzing
from tests.bench.fuzzing import SEEDS, FuzzError, default_seconds, fuzz, run_round

KEPT = sorted(int(path.read_text()) for path in SEEDS.glob("*.seed"))


@pytest.mark.parametrize("seed", KEPT)
def test_a_round_that_once_failed(seed: int) -> None:
    assert run_round(seed)["records"] >= 0


def test_rounds_reach_every_part_of_the_decoder_and_break_no_promise() -> None:
    total = fuzz(default_seconds(), first_seed=1)
    assert total["rounds"] > 50
    assert total["records"] > total["rounds"]
    assert {"checksum", "tag_checksum", "bad_field", "fragment_incomplete", "ais_undecodable", "too_long"} <= set(total)


def test_the_fuzzer_finds_a_decoder_that_raises_and_keeps_the_seed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def careless(_: bytes) -> None:
        raise IndexError

    monkeypatch.setattr(fuzzing, "SEEDS", tmp_path)
    monkeypatch.setitem(nmea_decoder.PARSERS, b"MWV", careless)
    with pytest.raises(IndexError):
        fuzz(5.0, first_seed=1)
    assert list(fuzzing.SEEDS.glob("*.seed"))


def test_the_fuzzer_finds_a_buffer_without_a_cap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fuzzing, "SEEDS", tmp_path)
    monkeypatch.setattr(fuzzing, "MAX_IGNORED_TYPES", -2)
    with pytest.raises(FuzzError, match="ignored"):
        fuzz(5.0, first_seed=1)
