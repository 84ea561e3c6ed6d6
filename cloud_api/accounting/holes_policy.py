"""Which numbers of a stream nobody has, and for how long. Sans-io.

A report and a state of the history that is younger than it decide exactly: a gateway forgets a number only after the
cloud has committed it, so what is not above the report's last number, not held by the gateway and not in the history
is lost, whatever is in flight. Reports that are older than the batches do no harm: they speak of lower numbers.
What remains is caution against a gateway that errs for a moment: a number must stay unexplained for a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud_api.accounting.models import Moment, StreamReport
from cloud_api.history.models import SeqRange, StreamBalance
from cloud_api.history.ranges import intersect, subtract

CONFIRM_S = 10.0
"""A number stays unexplained this long before it is an alarm, if two reports say so: five reports at the usual 2 s."""
CONFIRM_ALONE_S = 25.0
"""… and this long if the gateway has fallen silent. With a look each 5 s, both are far inside the promised 60 s."""
MAX_SUSPECTS = 1_000
"""Ranges watched a stream; the lowest stay. What has more holes has been an alarm for long."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Numbers that nobody has, since when, and which report it was."""

    range: SeqRange
    since: Moment
    report_no: int

    def is_confirmed(self, now: Moment, report_no: int) -> bool:
        """Tell whether it has stood long enough to be believed."""
        age_s = now.mono_s - self.since.mono_s
        return age_s >= CONFIRM_ALONE_S or self.is_confirmed_by_reports(now, report_no)

    def is_confirmed_by_reports(self, now: Moment, report_no: int) -> bool:
        """Tell whether it has stood long enough and later reports say it too."""
        return now.mono_s - self.since.mono_s >= CONFIRM_S and report_no > self.report_no + 1


def unexplained(report: StreamReport | None, balance: StreamBalance | None, *, is_listed: bool) -> list[SeqRange]:
    """Return the numbers of a stream that are neither in the history nor on the gateway nor declared lost.

    Args:
        report: what the gateway said last of the stream; None if it never did.
        balance: the history's running balance, read after the report arrived; None if nothing was received.
        is_listed: the gateway's newest report has the stream. Where it has not, the gateway holds none of it.
    """
    covered = balance.covered if balance else []
    top = report.produced if report else 0
    if not is_listed and balance is not None:
        top = max(top, balance.max_seq)
    if balance is not None and balance.is_cut:
        # of what lies above the ranges that were read nothing is known here
        top = min(top, covered[-1].last_seq)
    absent = subtract([SeqRange(1, top)], covered) if top else []
    if not is_listed or report is None:
        return absent
    if report.held is None:
        # an older gateway says how many, not which: it is believed while it holds anything
        return [] if report.buffered_records else absent
    return subtract(absent, report.held)


def watch(suspects: Sequence[Suspect], found: Sequence[SeqRange], now: Moment, report_no: int) -> list[Suspect]:
    """Return the suspects of now: a number keeps the moment at which it was first unexplained.

    Args:
        suspects: those of the last look, ascending and disjoint.
        found: what is unexplained now.
        now: this moment.
        report_no: number of the report that it is judged by.
    """
    kept = [
        Suspect(piece, suspect.since, suspect.report_no)
        for suspect in suspects
        for piece in intersect([suspect.range], found)
    ]
    fresh = subtract(found, [suspect.range for suspect in suspects])
    new = [Suspect(piece, now, report_no) for piece in fresh]
    return sorted([*kept, *new], key=lambda suspect: suspect.range)[:MAX_SUSPECTS]
