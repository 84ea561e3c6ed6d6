"""Berth cabinets and tide gauges by Modbus: mooring hooks, docking lasers, water level.

The register map says where; ``channels.py`` says what; the polling session reads. Nothing is ever written.
"""

from collections.abc import Mapping, Sequence

from contracts.payloads import BerthSample, Payload
from edge_agent.clock import Moment
from edge_agent.drivers.berth.mooring import BreakingLoad, complete_berth
from edge_agent.drivers.polling import PollingSession
from edge_agent.drivers.ports import Sink
from edge_agent.drivers.register_fit import BERTH_PAYLOADS, fit_units
from edge_agent.drivers.unit_poll import PolledUnit
from edge_agent.drivers.vitals import Vitals
from edge_agent.links.modbus_reader import ModbusReader, open_timeout_s
from edge_agent.parsers.register_sample import Sample
from firmware_configs.hardware_profile import BerthSource


class BerthWork:
    """Line loads and lasers of one cabinet: the ``UnitWork`` of its PLC.

    Args:
        breaking_load_kn: of the line on each hook, kN, or of all.
    """

    def __init__(self, breaking_load_kn: BreakingLoad) -> None:
        self._breaking_load_kn = breaking_load_kn

    def complete(self, sample: Sample) -> Sample:
        """Return the sample with what is computed; a tide gauge's as it is."""
        return complete_berth(sample, self._breaking_load_kn) if isinstance(sample, BerthSample) else sample

    def observe(self, sample: Sample, at: Moment) -> Sequence[Payload]:
        """Return nothing: each sample stands for itself."""
        del sample, at
        return ()

    def counts(self) -> Mapping[str, int]:
        """Return no discards."""
        return {}


def make_berth_session(source: BerthSource, sink: Sink, vitals: Vitals) -> PollingSession:
    """Return the session of the cabinets on one connection or bus.

    Args:
        source: its settings, register maps resolved.
        sink: takes the samples.
        vitals: signs of life.

    Raises:
        ConfigError: as ``fit_units``.
    """
    units = [
        PolledUnit(unit.unit_id, register_map, unit.place, BerthWork(unit.line_breaking_load_kn))
        for unit, register_map in fit_units(source, BERTH_PAYLOADS)
    ]
    return PollingSession(
        reader=ModbusReader(source.link, source.answer_timeout_s),
        units=units,
        sample_hz=source.sample_hz,
        heartbeat_s=source.heartbeat_s,
        open_timeout_s=open_timeout_s(source.link) + 1.0,
        sink=sink,
        vitals=vitals,
        source=source.source,
    )
