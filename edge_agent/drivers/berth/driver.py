"""A berth's cabinet: mooring-hook tensions, docking-laser distance and speed of approach.

The register map says where; ``channels.py`` says what; the polling session does the rest. Nothing is ever written.
"""

from contracts.errors import ConfigError
from edge_agent.drivers.berth.channels import CHANNELS
from edge_agent.drivers.polling import PollingSession
from edge_agent.drivers.ports import Sink
from edge_agent.drivers.vitals import Vitals
from edge_agent.links.modbus_reader import ModbusReader
from edge_agent.parsers.register_map import fit_map
from firmware_configs.hardware_profile import BerthSource
from firmware_configs.registers import RegisterMap

PAYLOAD = "berth_sample"


def make_berth_session(source: BerthSource, sink: Sink, vitals: Vitals) -> PollingSession:
    """Return the session of one berth.

    Args:
        source: its settings, register map resolved.
        sink: takes the samples.
        vitals: signs of life.

    Raises:
        ConfigError: the register map is not resolved, is for other hardware, or does not fit the channels.
    """
    registers = source.registers
    if not isinstance(registers, RegisterMap):
        raise ConfigError("make driver", source.source, f"register map {registers!r} not loaded", "", "invalid")
    if registers.payload != PAYLOAD:
        cause = f"register map {registers.registers} is for {registers.payload}"
        raise ConfigError("make driver", source.source, cause, f"choose one for {PAYLOAD}", "invalid")
    return PollingSession(
        reader=ModbusReader(source.link, source.unit_id),
        register_map=fit_map(registers, CHANNELS),
        sample_hz=source.sample_hz,
        heartbeat_s=source.heartbeat_s,
        open_timeout_s=source.link.connect_timeout_s + 1.0,
        sink=sink,
        vitals=vitals,
        source=source.source,
    )
