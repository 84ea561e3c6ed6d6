"""What happens to the device of an outbox: its disk, its clock, its link, its process.

Full disk, failing disk: from the n-th statement of a transaction on SQLite answers as it then does. Damage: bytes of a
file are changed or cut off while the gateway is off.
"""

import contextlib
import random
from unittest import mock

from contracts.errors import LinkError
from gateway.outbox.quarantine import Quarantine
from tests.support.gateway_records import limits
from tests.support.outbox_feed import MAKERS
from tests.support.outbox_stand import ROOMY_BYTES, RUNS, OutboxStand
from tests.support.outbox_threadless import FAULTS, FaultyConnection, now

TIGHT_BYTES = 18_000
EVENTS = (
    "uplink_turns", "uplink_turns", "time_passes", "time_passes", "clock_jumps", "cap_changes", "disk_fails",
    "disk_recovers", "disk_recovers", "quarantine_fills", "gateway_restarts", "killed_before_the_commit",
    "files_are_damaged",
)  # fmt: skip


class OutboxEvents(OutboxStand):
    """See the module; each event is called by its name, with dice."""

    def uplink_turns(self, dice: random.Random) -> None:
        self.is_hungry = dice.random() < 0.5
        self.outbox.set_hungry(self.is_hungry)

    def time_passes(self, dice: random.Random) -> None:
        passed_s = dice.choice((0.0, 0.4, 2.0, 90.0))
        self.clock.now_s += passed_s
        self.clock.now_ns += int(passed_s * 1e9)
        self.idle()

    def idle(self) -> None:
        self.writer._commit([])
        self.tend()

    def clock_jumps(self, dice: random.Random) -> None:
        """Both ways, before and after the first sync: nothing is reordered, expires or is given up by it."""
        self.clock.now_ns = max(0, self.clock.now_ns + dice.choice((-(10**9), -3600, 3600, 10**9)) * 10**9)
        self.clock.is_steered = dice.random() < 0.5
        self.idle()

    def cap_changes(self, dice: random.Random) -> None:
        """Under a tight cap what there is gets thinned, and dropped; alarms by none but alarms."""
        self.max_bytes = dice.choice((TIGHT_BYTES, ROOMY_BYTES))
        self.writer._limits = limits(self.max_bytes, self.clock)
        if self.writer._store is not None:
            self.writer._store._pressure._limits = self.writer._limits
        self.ring_bytes = dice.choice((TIGHT_BYTES, ROOMY_BYTES))
        self.idle()

    def disk_fails(self, dice: random.Random) -> None:
        """From some statement on every write fails."""
        FaultyConnection.fault, FaultyConnection.after = dice.choice(FAULTS), dice.randint(0, 12)

    def disk_recovers(self, _: random.Random) -> None:
        """No restart is needed."""
        FaultyConnection.fault = 0
        self.set_quarantine(is_full=False)
        self.tend()
        assert self.ring is None
        now(self.outbox.seal_all())
        assert not self.outbox.trouble

    def quarantine_fills(self, dice: random.Random) -> None:
        """What cannot be set aside stays where it is."""
        self.set_quarantine(is_full=dice.random() < 0.5)

    def set_quarantine(self, *, is_full: bool) -> None:
        self.is_quarantine_full = is_full
        quarantine = Quarantine(self.folder / "outbox.quarantine")
        if is_full:
            quarantine.put = mock.Mock(side_effect=OSError(28, "No space left on device"))  # type: ignore[method-assign]
        self.writer._quarantine = quarantine
        if self.writer._store is not None:
            self.writer._store._shelf._quarantine = quarantine

    def gateway_restarts(self, dice: random.Random) -> None:
        """In an orderly way, with what is in memory moved to the disk if it takes it; or killed as the files lie."""
        if dice.random() < 0.3:
            self.close()
        else:
            self.live_on_a_copy()
        self.is_quarantine_full = False
        self.open()

    def close(self) -> None:
        numbers = {} if self.ring is None else dict(self.ring.custody.numbers)
        with contextlib.suppress(LinkError):
            now(self.outbox.close())
        self.noted |= {name: item.next_seq for name, item in numbers.items()}
        self.end()

    def killed_before_the_commit(self, dice: random.Random) -> None:
        """Nothing of the append is there; the driver has it still."""
        if self.writer._db is None or self.writer._store is None or FaultyConnection.fault or self.ring is not None:
            return
        run = dice.choice(RUNS)
        before = self.hello(run)
        items = self.unanswered[run] + self.make(dice.choices(sorted(MAKERS), k=dice.randint(1, 12)))
        self.writer._db.execute("BEGIN IMMEDIATE")
        self.writer._store.append("ais", self.run_ids[run], self.last_no[run] + len(items), items)
        if dice.random() < 0.5:
            self.writer._store.flush(self.clock.mono_s())
        self.live_on_a_copy()
        self.is_quarantine_full = False
        self.open()
        assert self.hello(run) == before
        self.unanswered[run] = items

    def files_are_damaged(self, dice: random.Random) -> None:
        """Bytes are changed, or the end is cut off; the gateway starts all the same and tells what is lost."""
        self.live_on_a_copy()
        path = self.folder / dice.choice(("outbox.db", "outbox.db", "outbox.db-wal", "outbox.mark"))
        if self.may_be_damaged and path.exists() and path.stat().st_size:
            data = bytearray(path.read_bytes())
            if dice.random() < 0.3:
                del data[dice.randrange(len(data)) :]
            else:
                for _ in range(dice.choice((1, 1, 30))):
                    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            path.write_bytes(data)
            self.model.is_damaged = True
        self.is_quarantine_full = False
        self.open()
        if self.writer._db is None:
            # it opened, then found damage when it looked at each batch, and put a salvaged one in its place
            self.idle()
        assert self.writer._db is not None, self.writer.report.trouble
