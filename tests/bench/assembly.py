"""``python -m tests.bench.assembly``: ships made of two, by us and by others, on the same lines in the same run.

Each row of ``assembly_feed`` with 0 % and 5 % of lines lost: messages that were complete and right, of those that some
receiver wrote whole, and messages that are wrong (the name of one ship with the destination of another).

Options: ``--write DIR`` writes the links as timed recordings for ``python -m edge_agent decode --timed`` and ends;
``--seeds N`` measures our own rows over N seeds; ``--no-peers`` leaves the others out.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from contracts.payloads import Ais
from edge_agent.links.timed_line import format_timed
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from tests.bench import assembly_peers
from tests.bench.assembly_feed import FIRST_MMSI, ROWS, Feed, Line, Row, identity, make_feed
from tests.bench.assembly_peers import Ship
from tests.bench.figures import report

LOSSES = (0.0, 0.05)
SEED = 1
SEEDS_UNTOLD = tuple(range(1, 7))
"""Seeds of row d: where receivers cannot be told apart chance decides, so one seed would be a picked one."""


@dataclass
class Result:
    """What one decoder made of one feed.

    Attributes:
        complete: messages that were written whole and came out right.
        wrong: messages that nobody sent.
        whole: messages that some receiver wrote whole.
        rejected: our own counts of what was discarded.
    """

    complete: int
    wrong: int
    whole: int
    rejected: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Result") -> "Result":
        return Result(
            self.complete + other.complete,
            self.wrong + other.wrong,
            self.whole + other.whole,
            self.rejected + other.rejected,
        )


def seeds_of(row: Row) -> tuple[int, ...]:
    """Return the seeds that a row is measured over."""
    return SEEDS_UNTOLD if row.name == "d" else (SEED,)


def ours(links: list[list[Line]]) -> tuple[list[Ship], Counter[str]]:
    """Decode each link as its driver does, with the time of each line."""
    ships: list[Ship] = []
    rejected: Counter[str] = Counter()
    for link in links:
        decoder = NmeaDecoder()
        decoded = [item for at_s, line in link for item in decoder.feed(line + b"\r\n", round(at_s * 1e9))]
        decoded += decoder.close(round(link[-1][0] * 1e9))
        payloads = [item.payload for item in decoded]
        ships += [(ais.mmsi, ais.name or "", ais.destination or "") for ais in payloads if isinstance(ais, Ais)]
        rejected += decoder.rejected
    return ships, rejected


def judge(ships: list[Ship], feed: Feed) -> Result:
    """Compare what came out with what was sent."""
    right = {ship[0] - FIRST_MMSI for ship in ships if ship == identity(ship[0] - FIRST_MMSI)}
    wrong = sum(ship != identity(ship[0] - FIRST_MMSI) for ship in ships)
    return Result(len(right & feed.whole), wrong, len(feed.whole))


def measure_ours(row: Row, loss: float, seed: int, *, numbered_on_arrival: bool = False) -> Result:
    """Our result in one row."""
    feed = make_feed(row, loss, seed, numbered_on_arrival=numbered_on_arrival)
    ships, rejected = ours(feed.links)
    result = judge(ships, feed)
    result.rejected = rejected
    return result


def measure(row: Row, loss: float, peers: dict[str, assembly_peers.Peer]) -> dict[str, Result]:
    """All results in one row, summed over its seeds, ours under ``porttrack``."""
    nothing = Result(0, 0, 0)
    results = {"porttrack": sum((measure_ours(row, loss, seed) for seed in seeds_of(row)), nothing)}
    for name, peer in peers.items():
        feeds = [make_feed(row, loss, seed) for seed in seeds_of(row)]
        results[name] = sum((judge(_heard(peer, feed), feed) for feed in feeds), nothing)
    return results


def _heard(peer: assembly_peers.Peer, feed: Feed) -> list[Ship]:
    return [ship for link in feed.links for ship in peer([line for _, line in link])]


def write(folder: Path) -> None:
    """Write every link of every row as a timed recording."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in ROWS:
        for loss in LOSSES:
            for number, link in enumerate(make_feed(row, loss, SEED).links):
                path = folder / f"{row.name}{round(loss * 100)}_{number}.log"
                path.write_bytes(b"".join(format_timed(round(at_s * 1e9), line + b"\r\n") for at_s, line in link))


def run(*, with_peers: bool = True) -> None:
    """Print one figure a row, loss and decoder."""
    peers, missing = assembly_peers.available() if with_peers else ({}, {})
    for name, cause in missing.items():
        sys.stderr.write(f"not measured: {name}, because {cause}\n")
    for row in ROWS:
        for loss in LOSSES:
            for name, result in measure(row, loss, peers).items():
                counts = {reason: count for reason, count in result.rejected.items() if "fragment" in reason}
                report(
                    f"assembly_{row.name}_{round(loss * 100)}_{name}",
                    result.wrong,
                    "wrong",
                    what=row.title,
                    complete=result.complete,
                    whole=result.whole,
                    seeds=len(seeds_of(row)),
                    ratio=round(result.complete / result.whole, 4),
                    **counts,
                )


def run_seeds(seeds: int) -> None:
    """Print our own rows over many seeds: how often anything is wrong at all."""
    for row in ROWS:
        for loss in LOSSES:
            results = [
                measure_ours(row, loss, seed, numbered_on_arrival=bool(seed % 2)) for seed in range(100, 100 + seeds)
            ]
            report(f"assembly_{row.name}_{round(loss * 100)}_seeds", sum(result.wrong for result in results), "wrong",
                   seeds=seeds, seeds_with_wrong=sum(result.wrong > 0 for result in results),
                   least_ratio=round(min(result.complete / result.whole for result in results), 4))  # fmt: skip


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.assembly", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="DIR")
    parser.add_argument("--seeds", type=int, metavar="N")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    if options.write is not None:
        write(options.write)
    elif options.seeds is not None:
        run_seeds(options.seeds)
    else:
        run(with_peers=not options.no_peers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
