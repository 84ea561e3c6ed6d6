"""Keeps what gateways report and judges each stream against the history. Sans-io.

Rules: the reports are taken before the history is read (``reports``), so that the history is never older than what it
is held against; an alarm stands from the moment its numbers were first unexplained until they are received, declared,
or held by the gateway after all; a gateway that was never heard is no alarm.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cloud_api.accounting.holes_policy import Suspect, unexplained, watch
from cloud_api.accounting.models import (
    MAX_RANGES,
    RANK,
    GatewayReport,
    GatewayStanding,
    Moment,
    OpenStream,
    StreamAlarm,
    StreamReport,
    StreamStanding,
    Verdict,
)
from cloud_api.history.models import SeqRange, StreamBalance
from cloud_api.history.ranges import merge, total
from contracts.errors import PeerError
from contracts.health import GatewayStatus, StreamStatus
from contracts.ids import split_stream_id
from contracts.payloads import REASON_KEPT_ELSEWHERE

MAX_GATEWAYS = 5_000
"""As the fleet registry: ten times the largest fleet planned; a status of 64 KiB bounds the streams of each."""

MAX_WATCHES = 100_000
"""Streams remembered, twenty for each of those gateways: about 50 MB; what is beyond is judged without memory."""
MAX_SEQ = 2**63 - 2
"""Largest number that the store role takes."""

Reports = Mapping[str, GatewayReport]


@dataclass(slots=True)
class _Watch:
    """Memory of one stream between two looks."""

    report: StreamReport | None = None
    heard_ns: int | None = None
    max_produced: int = 0
    max_seq: int = 0
    suspects: list[Suspect] = field(default_factory=list)
    back: Suspect | None = None
    since_ns: int | None = None
    is_open: bool = False


class Accountant:
    """See the module."""

    def __init__(self) -> None:
        self._reports: dict[str, GatewayReport] = {}
        self._watches: dict[str, _Watch] = {}
        self._declared: dict[str, int] = {}
        self._declared_at_ns: dict[str, int] = {}
        self.refused = 0

    def hear(self, status: GatewayStatus, utc_ns: int) -> None:
        """Take a report; one that lists no stream says nothing of them (its disk did not answer)."""
        key = f"{status.site}/{status.gateway}"
        known = self._reports.get(key)
        streams = {one.stream_id: _report(one) for one in status.streams if _is_own(one.stream_id, status)}
        if not streams:
            return
        if known is None and len(self._reports) >= MAX_GATEWAYS:
            self.refused += 1
            return
        self._reports[key] = GatewayReport(
            known.number + 1 if known else 1, utc_ns, streams, is_partial=status.is_volatile
        )

    def restore(self, streams: Iterable[OpenStream]) -> None:
        """Take what another process kept of streams that were not whole; what is known better here stays."""
        for one in streams:
            item = self._watches.setdefault(one.stream_id, _Watch(is_open=True))
            item.report = item.report or StreamReport(one.produced, 0, None)
            item.max_produced = max(item.max_produced, one.produced)
            item.since_ns = item.since_ns or one.since_ns

    def adopt(self, alarms: Iterable[StreamAlarm]) -> None:
        """Take alarms that stand by whoever judges: their moment holds for all, and an alarm only ends by a look."""
        for one in alarms:
            self._watches.setdefault(one.stream_id, _Watch(is_open=True)).since_ns = one.raised_ns

    def alarms(self) -> dict[str, int]:
        """Return since when (UTC ns) alarms stand, by stream; also those that are not yet confirmed anew here."""
        return {stream_id: item.since_ns for stream_id, item in self._watches.items() if item.since_ns is not None}

    def sites(self) -> set[str]:
        """Return the sites of all gateways and streams that are known."""
        keys = [*self._reports, *map(gateway_of, self._watches)]
        return {key.partition("/")[0] for key in keys}

    def reports(self) -> Reports:
        """Return the newest report of each gateway; take it before the history is read."""
        return dict(self._reports)

    def judge(self, reports: Reports, balances: Iterable[StreamBalance], now: Moment) -> list[GatewayStanding]:
        """Judge every stream.

        Args:
            reports: what ``reports`` returned before the balances were read.
            balances: the running balance of each stream.
            now: this moment.

        Returns:
            One standing a gateway, by id.
        """
        by_stream = {balance.stream_id: balance for balance in balances}
        streams: dict[str, set[str]] = {key: set(report.streams) for key, report in reports.items()}
        for stream_id in [*by_stream, *self._watches]:
            streams.setdefault(gateway_of(stream_id), set()).add(stream_id)
        standings = []
        for key in sorted(streams):
            report = reports.get(key)
            judged = [self._judge(one, report, by_stream.get(one), now) for one in sorted(streams[key])]
            standings.append(self._sum_up(key, judged, now))
        return standings

    def open_streams(self) -> list[OpenStream]:
        """Return the streams that are not whole, by id: what must outlive this process."""
        return [
            OpenStream(stream_id, item.max_produced, item.since_ns)
            for stream_id, item in sorted(self._watches.items())
            if item.is_open
        ]

    def _judge(
        self, stream_id: str, gateway: GatewayReport | None, balance: StreamBalance | None, now: Moment
    ) -> StreamStanding:
        item = self._watches.get(stream_id) or _Watch()
        told = gateway.streams.get(stream_id) if gateway else None
        if gateway is not None and told is not None:
            item.report, item.heard_ns = told, gateway.heard_ns
        report_no = gateway.number if gateway else 0
        is_listed = told is not None or (gateway is not None and gateway.is_partial)
        found = unexplained(item.report, balance, is_listed=is_listed) if gateway else []
        item.suspects = watch(item.suspects, found, now, report_no)
        confirmed = [one for one in item.suspects if one.is_confirmed(now, report_no)]
        is_back = self._has_gone_back(item, told, balance, now, report_no)
        if confirmed:
            verdict = Verdict.VANISHED if not is_listed else Verdict.MISSING
        elif is_back:
            verdict = Verdict.WENT_BACK
        else:
            verdict = Verdict.UNKNOWN if gateway is None else Verdict.WHOLE
        if gateway is not None:
            starts = [one.since.utc_ns for one in confirmed]
            item.since_ns = _begin(item, [item.back.since.utc_ns] if is_back and item.back else starts)
        standing = _standing(stream_id, item, balance, verdict, found)
        is_under_watch = item.back is not None or item.since_ns is not None
        item.is_open = standing.buffered > 0 or bool(found) or is_under_watch
        self._remember(stream_id, item, is_listed=is_listed)
        return standing

    def _remember(self, stream_id: str, item: _Watch, *, is_listed: bool) -> None:
        """Keep what the next look needs; a whole stream that its gateway has forgotten needs nothing."""
        if not is_listed and not item.is_open:
            self._watches.pop(stream_id, None)
        elif stream_id in self._watches or len(self._watches) < MAX_WATCHES:
            self._watches[stream_id] = item
        else:
            self.refused += 1

    def _has_gone_back(
        self, item: _Watch, told: StreamReport | None, balance: StreamBalance | None, now: Moment, report_no: int
    ) -> bool:
        """Tell whether a gateway counts from below what it had reached by its own word or by an earlier look."""
        floor = max(item.max_produced, item.max_seq)
        if told is not None and told.produced < floor:
            item.back = item.back or Suspect(SeqRange(told.produced + 1, floor), now, report_no)
        elif told is not None:
            item.back = None
        item.max_produced = max(item.max_produced, told.produced if told else 0)
        item.max_seq = balance.max_seq if balance else 0
        # only later reports can say it: the last word of a gateway that fell silent may be older than its batches
        return item.back is not None and item.back.is_confirmed_by_reports(now, report_no)

    def _sum_up(self, key: str, streams: list[StreamStanding], now: Moment) -> GatewayStanding:
        declared: Counter[str] = Counter()
        for one in streams:
            declared.update(one.declared)
        lost = declared.total()
        if lost > self._declared.get(key, lost):
            self._declared_at_ns[key] = now.utc_ns
        self._declared[key] = lost
        alarms = [one for one in streams if one.verdict.is_alarm]
        return GatewayStanding(
            id=key,
            verdict=max((one.verdict for one in streams), key=lambda verdict: RANK[verdict]),
            since_ns=min((one.since_ns for one in alarms if one.since_ns is not None), default=None),
            produced=sum(one.produced for one in streams),
            received=sum(one.received for one in streams),
            declared=dict(declared),
            declared_at_ns=self._declared_at_ns.get(key),
            buffered=sum(one.buffered for one in streams),
            missing=sum(one.unexplained for one in alarms),
            kept_elsewhere=sum(one.kept_elsewhere for one in streams),
            streams=tuple(streams),
        )


def _begin(item: _Watch, starts: list[int]) -> int | None:
    """Return since when an alarm stands; one that is confirmed anew after a start of this process keeps its moment."""
    if item.since_ns is not None:
        return item.since_ns if starts or item.suspects or item.back else None
    return min(starts, default=None)


def _is_own(stream_id: str, status: GatewayStatus) -> bool:
    try:
        site, gateway, _, _ = split_stream_id(stream_id)
    except PeerError:
        return False
    return (site, gateway) == (status.site, status.gateway)


def gateway_of(stream_id: str) -> str:
    """Return ``{site}/{gateway}`` of a stream id."""
    site, gateway, _ = stream_id.split(".", 2)
    return f"{site}/{gateway}"


def _report(status: StreamStatus) -> StreamReport:
    held = status.buffered_ranges
    ranges = None if held is None else tuple(merge(SeqRange(*pair) for pair in held if pair[0] <= pair[1]))
    if held is None and status.oldest_seq is not None:
        ranges = (SeqRange(status.oldest_seq, max(status.oldest_seq, status.next_seq - 1)),)
    return StreamReport(min(max(0, status.next_seq - 1), MAX_SEQ), status.buffered_records, ranges)


def _standing(
    stream_id: str, item: _Watch, balance: StreamBalance | None, verdict: Verdict, found: list[SeqRange]
) -> StreamStanding:
    accounted = balance.accounted if balance else 0
    produced = max(item.max_produced, balance.max_seq if balance else 0)
    lost = total(found)
    buffered = produced - accounted - lost
    declared = dict(balance.declared) if balance else {}
    kept_elsewhere = declared.pop(REASON_KEPT_ELSEWHERE, 0)
    is_shown = verdict is Verdict.WHOLE and (buffered > 0 or lost > 0)
    return StreamStanding(
        stream_id=stream_id,
        verdict=Verdict.BUFFERED if is_shown else verdict,
        since_ns=item.since_ns if verdict.is_alarm else None,
        produced=produced,
        received=balance.received() if balance else 0,
        declared=declared,
        kept_elsewhere=kept_elsewhere,
        buffered=buffered,
        unexplained=lost,
        ranges=tuple(found[:MAX_RANGES]),
        heard_ns=item.heard_ns,
    )
