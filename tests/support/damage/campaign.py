"""Damages stores thousands of times and adds up what became of them."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.damage.faults import strike
from tests.support.damage.stores import RECIPES, Template, make
from tests.support.damage.verdict import Verdict, copy, judge


@dataclass(slots=True)
class Outcome:
    """Totals of a campaign.

    Attributes:
        faults: stores damaged, by file and kind.
        figures: totals by name.
        wrong: what must not be, with the store and number of the fault that brought it forth.
    """

    faults: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def make_all(folder: Path) -> dict[str, Template]:
    """Make a store of each kind."""
    return {kind: asyncio.run(make(folder, kind)) for kind in RECIPES}


def run(
    templates: dict[str, Template],
    folder: Path,
    number: int,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
    only: str | None = None,
) -> Outcome:
    """Damage ``number`` stores, of each kind in turn, and judge each.

    Args:
        templates: the stores.
        folder: where copies are made.
        number: how many.
        seed: each fault has its own dice, of seed and number: it can be done again alone.
        monkeypatch: of the test.
        only: damage this file only.
    """
    outcome = Outcome()
    began = time.monotonic()
    for index in range(number):
        kind = list(templates)[index % len(templates)]
        template = templates[kind]
        damaged = copy(template, folder / "case")
        fault = strike(damaged, random.Random(f"{seed}-{index}"), only)
        with monkeypatch.context() as patch:
            verdict = asyncio.run(judge(template, damaged, fault, patch))
        outcome.faults[f"{fault.file} {fault.kind}"] += 1
        outcome.figures.update(
            stores=1,
            started=verdict.is_started,
            salvaged=verdict.is_salvaged,
            with_loss=verdict.lost > 0,
            lost_records=verdict.lost,
            damaged_records=verdict.touched,
            reported_records=verdict.reported,
            reported_exactly=verdict.reported == verdict.lost,
        )
        outcome.wrong += [f"{seed}-{index} {kind} {fault.file} {fault.kind}: {text}" for text in verdict.wrong[:3]]
    outcome.figures["seconds"] = round(time.monotonic() - began)
    return outcome


def again(
    templates: dict[str, Template], folder: Path, seed: int, index: int, monkeypatch: pytest.MonkeyPatch
) -> Verdict:
    """Do one fault of a campaign again and return what became of the store."""
    template = templates[list(templates)[index % len(templates)]]
    damaged = copy(template, folder / "case")
    fault = strike(damaged, random.Random(f"{seed}-{index}"), None)
    with monkeypatch.context() as patch:
        return asyncio.run(judge(template, damaged, fault, patch))
