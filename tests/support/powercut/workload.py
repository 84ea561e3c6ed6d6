"""A seeded working day of an outbox, in seconds: everything a gateway does with it, in any order."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from contracts.receipt import Outcome
from tests.support.gateway_records import ManualClock
from tests.support.powercut.session import RUNS, Maker, Session

STEPS = 170
RECOVERY_STEPS = 5


class Workload:
    """Does what its dice say.

    Args:
        folder: the recorded folder.
        mark: where promises are noted.
        seed: of the dice.
        first_key: where the keys of its observations go on.
    """

    def __init__(self, folder: Path, mark: Callable[[str], None], seed: int, first_key: int = 1) -> None:
        self._folder = folder
        self._mark = mark
        self._dice = random.Random(seed)
        self._maker = Maker(self._dice, first_key)
        self._clock = ManualClock()
        self._last_no: dict[str, int] = {}
        self._session = Session(folder, self._clock, mark)
        self._steps: tuple[tuple[Callable[[], object], int], ...] = (
            (self._bulk, 9), (self._urgent, 4), (self._together, 3), (self._again, 1), (self._committed, 4),
            (self._unanswered, 1), (self._refused, 1), (self._seal, 1),
            (self._pass_time, 3), (self._reopen, 1), (self._turn, 1),
        )  # fmt: skip

    async def run(self, steps: int) -> None:
        """Open, work, and leave in an orderly way or not."""
        await self._open()
        actions, weights = zip(*self._steps, strict=True)
        for _ in range(steps):
            done = self._dice.choices(actions, weights)[0]()
            if asyncio.iscoroutine(done):
                await done
        await self._session.outbox.close()

    async def _open(self) -> None:
        self._session.start()
        self._last_no = await self._session.hello()

    async def _bulk(self, run: str = "") -> None:
        run = run or self._dice.choice(RUNS)
        items = [self._maker.bulk() for _ in range(self._dice.randint(1, 6))]
        self._last_no[run] += len(items)
        await self._session.append(run, self._last_no[run], items)

    async def _urgent(self) -> None:
        run = self._dice.choice(RUNS)
        self._last_no[run] += 1
        await self._session.append(run, self._last_no[run], [self._maker.urgent()])

    async def _together(self) -> None:
        await asyncio.gather(*(self._bulk(run) for run in RUNS))

    async def _again(self) -> None:
        """The answer was lost: the driver sends its last one again, and one more."""
        run = self._dice.choice(RUNS)
        item = self._maker.urgent()
        self._last_no[run] += 1
        for _ in range(2):
            await self._session.append(run, self._last_no[run], [item])

    async def _committed(self) -> None:
        given = await self._session.give(self._dice.randint(1, 6))
        await self._session.answer([stored for stored, _ in given], Outcome.COMMITTED)

    async def _unanswered(self) -> None:
        await self._session.give(self._dice.randint(1, 3))

    async def _refused(self) -> None:
        given = await self._session.give(1, is_taken=False)
        await self._session.answer([stored for stored, _ in given], Outcome.REFUSED)

    def _turn(self) -> None:
        """The uplink comes or goes."""
        self._session.outbox.set_hungry(self._dice.random() < 0.5)

    async def _seal(self) -> None:
        await self._session.outbox.seal_all()

    def _pass_time(self) -> None:
        self._clock.now_s += self._dice.choice((0.01, 0.1, 90.0))
        self._clock.now_ns += self._dice.choice((10**8, 90 * 10**9, -3600 * 10**9))
        self._clock.is_steered = self._dice.random() < 0.7

    async def _reopen(self) -> None:
        await self._session.outbox.close()
        self._session = Session(self._folder, self._clock, self._mark)
        await self._open()
