"""One PLC of a polling session: its reads, its samples, and what is told of it. Sans-io."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts.payloads import Payload
from edge_agent.clock import Moment
from edge_agent.drivers.ports import UnitWork
from edge_agent.parsers.register_reads import ReadBlock
from edge_agent.parsers.register_sample import ChangeFilter, Sample, SampleDecoder
from firmware_configs.registers import RegisterMap


class PlainWork:
    """Nothing beyond what the registers say: the ``UnitWork`` of most PLCs."""

    def complete(self, sample: Sample) -> Sample:
        """Return the sample as it is."""
        return sample

    def observe(self, sample: Sample, at: Moment) -> Sequence[Payload]:
        """Return nothing: each sample stands for itself."""
        del sample, at
        return ()

    def counts(self) -> Mapping[str, int]:
        """Return no discards."""
        return {}


@dataclass(frozen=True)
class PolledUnit:
    """One PLC as a driver sets it up.

    Attributes:
        unit_id: Modbus unit.
        register_map: a map that ``fit_map`` returned.
        place: asset that it observes, where it is not the source's.
        work: what the driver makes of its samples.
    """

    unit_id: int
    register_map: RegisterMap
    place: str | None = None
    work: UnitWork = field(default_factory=PlainWork)


class UnitPoll:
    """State of one PLC between polls.

    Args:
        unit: how it is set up.
        heartbeat_ns: longest silence of an unchanged sample, ns.
    """

    def __init__(self, unit: PolledUnit, heartbeat_ns: int) -> None:
        self.unit_id = unit.unit_id
        self.place = unit.place
        self.error = ""
        """Why it is not understood or silent, empty while all is well."""
        self._work = unit.work
        self._decoder = SampleDecoder(unit.register_map)
        self._filter = ChangeFilter(unit.register_map, heartbeat_ns)
        self.reads = self._decoder.reads
        self.refused: Counter[str] = Counter()
        """Exceptions and timeouts, by reason."""

    def note(self, error: str) -> bool:
        """Keep its present error, empty for none; returns whether that is news."""
        is_news = bool(error) != bool(self.error)
        self.error = error
        return is_news

    def take(self, answers: Mapping[ReadBlock, Sequence[int]], at: Moment) -> tuple[Sample, bool, Sequence[Payload]]:
        """Return the sample, whether it is worth a record, and what has come to its end by it.

        Args:
            answers: for each of ``reads`` its registers or bits.
            at: when they were read.
        """
        sample = self._work.complete(self._decoder.decode(answers))
        return sample, self._filter.is_due(sample, at.mono_ns), self._work.observe(sample, at)

    def counts(self) -> Counter[str]:
        """Return what was discarded since the start, by reason."""
        return self._decoder.rejected + self.refused + Counter(self._work.counts())
