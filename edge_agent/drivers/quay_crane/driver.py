"""Ship-to-shore cranes' PLCs: load, spreader, trolley, hoist, gantry and wind, and a record of each lift.

The register map says where; ``channels.py`` says what; the polling session reads; ``cycle_policy.py`` looks at every
sample and tells the lifts. Nothing is ever written.
"""

from collections.abc import Mapping, Sequence

from contracts.payloads import CraneSample, Payload
from edge_agent.clock import Moment
from edge_agent.drivers.polling import PollingSession
from edge_agent.drivers.ports import Sink
from edge_agent.drivers.quay_crane.cycle_policy import CyclePolicy
from edge_agent.drivers.register_fit import CRANE_PAYLOADS, fit_units
from edge_agent.drivers.unit_poll import PolledUnit
from edge_agent.drivers.vitals import Vitals
from edge_agent.links.modbus_reader import ModbusReader, open_timeout_s
from edge_agent.parsers.register_sample import Sample
from firmware_configs.crane_rules import CycleRules
from firmware_configs.hardware_profile import QuayCraneSource


class CraneWork:
    """Lifts of one crane: the ``UnitWork`` of its PLC.

    Args:
        rules: how lifts are told.
    """

    def __init__(self, rules: CycleRules) -> None:
        self._policy = CyclePolicy(rules)

    def complete(self, sample: Sample) -> Sample:
        """Return the sample as it is."""
        return sample

    def observe(self, sample: Sample, at: Moment) -> Sequence[Payload]:
        """Return the lift that a sample ends, if any."""
        return self._policy.observe(sample, at) if isinstance(sample, CraneSample) else ()

    def counts(self) -> Mapping[str, int]:
        """Return what was not made a lift, by reason."""
        return self._policy.counts()


def make_crane_session(source: QuayCraneSource, sink: Sink, vitals: Vitals) -> PollingSession:
    """Return the session of the cranes on one connection or bus.

    Args:
        source: its settings, register maps resolved.
        sink: takes the samples.
        vitals: signs of life.

    Raises:
        ConfigError: as ``fit_units``.
    """
    units = [
        PolledUnit(unit.unit_id, register_map, unit.place, CraneWork(source.cycle))
        for unit, register_map in fit_units(source, CRANE_PAYLOADS)
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
