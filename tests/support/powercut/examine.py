"""Opens what a cut left behind with the real outbox and holds it to every promise made before the cut.

A promise is kept when each number of the stream is received by the cloud, after all was sent, as the record that it
was given to; or declared given up for a reason that this workload brings forth; or refused and kept in the quarantine.
A store that takes what the cut left for damage and salvages it breaks none by that: what was promised must come all
the same, under its old numbers; it may declare numbers that nobody was promised, because data win over a declaration.
"""

import random
from pathlib import Path

from contracts.errors import PortTrackError
from contracts.ids import make_stream_id, split_stream_id
from contracts.payloads import Gap
from contracts.receipt import Outcome
from contracts.records import RecordClass
from tests.support.gateway_records import GATEWAY, SITE, ManualClock
from tests.support.powercut.ledger import Cloud, Ledger, Store
from tests.support.powercut.session import RUNS, Maker, Session

DECLARABLE = frozenset({"capacity", "disk_space", "thinned"})
"""Reasons that a workload without damage may bring forth; a promised number that is ``damaged`` is a broken promise."""
MAX_GIVEN = 64
MAX_ROUNDS = 50
"""Of 64 batches: ten times what a run can leave behind."""
FIRST_NEW_KEY = 10**7

SetAside = dict[tuple[str, int], set[int]]


async def examine(folder: Path, ledger: Ledger) -> list[str]:
    """Return the broken promises, none if all is well.

    Opens, asks as drivers do, drains everything into the ledger's cloud by receipts, compares; then goes on working,
    opens again, and compares again.

    Args:
        folder: the image; it is used up.
        ledger: promises up to the cut; it is used up.
    """
    maker = Maker(random.Random(0), FIRST_NEW_KEY)
    try:
        for _ in range(2):
            session = Session(folder, ManualClock(), lambda text: ledger.mark(text.encode()))
            if wrong := await _check_opening(session, ledger, maker):
                return wrong
    except PortTrackError as exc:
        return [f"the store does not work: {exc}"]
    return []


async def _check_opening(session: Session, ledger: Ledger, maker: Maker) -> list[str]:
    session.start()
    try:
        tried, promised = dict(ledger.last_tried), dict(ledger.promised)
        stored = await session.hello()
        wrong = [
            f"run {run}: {stored[run]} stored, promised {promised.get(run, 0)}, tried {tried.get(run, 0)}"
            for run in RUNS
            if not promised.get(run, 0) <= stored[run] <= tried.get(run, 0)
        ]
        wrong += await _check_numbers(session, ledger)
        wrong += await _drain(session, ledger)
        set_aside = session.set_aside()
        for store in (*ledger.before, ledger.store):
            wrong += _check_contents(store, ledger, set_aside)
        if not wrong:
            for run in RUNS:
                items = [maker.urgent(), maker.bulk(), maker.bulk()]
                stored[run] += len(items)
                await session.append(run, stored[run], items)
        return wrong
    finally:
        await session.outbox.close()


async def _check_numbers(session: Session, ledger: Ledger) -> list[str]:
    """Compare the next number of each stream with what it was given."""
    numbers = {stream.stream_id: stream.next_seq for stream in (await session.outbox.stats()).streams}
    wrong = []
    for name, items in ledger.store.items.items():
        stream_id = make_stream_id(SITE, GATEWAY, ledger.store.store_id, name.value)
        next_seq = numbers.get(stream_id, 1)
        if next_seq != len(items) + 1:
            wrong.append(f"{name.value}: next is {next_seq} after {len(items)} records")
    return wrong


async def _drain(session: Session, ledger: Ledger) -> list[str]:
    """Let the cloud take everything, and hand in its receipts."""
    wrong: list[str] = []
    before = {
        stream_id: set(cloud.ranges)
        for stream_id, cloud in ledger.cloud.items()
        if split_stream_id(stream_id)[2] == ledger.store.store_id
    }
    await session.outbox.seal_all()
    for _ in range(MAX_ROUNDS):
        given = await session.give(MAX_GIVEN, is_noted=False)
        if not given:
            return wrong
        for _, batch in given:
            wrong += ledger.cloud[batch.stream_id].take(batch)
            if all(isinstance(record.payload, Gap) for record in batch.records):
                continue  # declarations may be joined with their neighbours: ADR 0107
            wrong += [
                f"{batch.stream_id} {first}..{last} was cut anew: {batch.first_seq}..{batch.last_seq}"
                for first, last in before.get(batch.stream_id, ())
                if first <= batch.last_seq and batch.first_seq <= last
                if (first, last) != (batch.first_seq, batch.last_seq)
            ]
        await session.answer([stored for stored, _ in given], Outcome.COMMITTED)
    return [*wrong, "receipts do not empty the store"]


def _check_contents(store: Store, ledger: Ledger, set_aside: SetAside) -> list[str]:
    """Compare what the cloud now has of a store's streams with what they were given, number by number."""
    wrong = []
    is_current = store is ledger.store
    for name, items in store.items.items():
        stream_id = make_stream_id(SITE, GATEWAY, store.store_id, name.value)
        cloud = ledger.cloud.get(stream_id, Cloud())
        for seq, item in enumerate(items, 1):
            if not is_current and not item.is_promised and seq not in cloud.has:
                continue  # was not promised: it may be gone, declared or not
            if fault := _fault(ledger, stream_id, seq, item.key, set_aside):
                wrong.append(f"{name.value} {seq} ({item.run} {item.number}) {fault}")
        beyond = [seq for seq in cloud.has if seq > len(items)]
        if is_current:
            beyond += [seq for seq in cloud.gaps if seq > len(items)]
        if beyond:
            wrong.append(f"{name.value} {beyond[:5]} were never produced")
    return wrong


def _fault(ledger: Ledger, stream_id: str, seq: int, key: int, set_aside: SetAside) -> str:
    """Return what is wrong with one number, empty if it is received, or given up for a reason that holds."""
    cloud = ledger.cloud.get(stream_id, Cloud())
    if seq in cloud.has:
        return "" if cloud.has[seq] == key else f"is another record: {cloud.has[seq]} for {key}"
    reason = cloud.gaps.get(seq, "")
    if ledger.was_refused(stream_id, seq) and key in set_aside.get((stream_id, seq), ()):
        # a declaration may be refused, too: then the cloud sees a hole and says so, and the quarantine has the records
        return ""
    if reason == "refused":
        return "was refused and is not in the quarantine" if ledger.was_refused(stream_id, seq) else "was never refused"
    if reason:
        is_precious = split_stream_id(stream_id)[3] == RecordClass.ALARM
        return f"was declared {reason}" if is_precious or reason not in DECLARABLE else ""
    return "is lost"
