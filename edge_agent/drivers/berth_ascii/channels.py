"""Channels of berth cabinets and tide gauges that send text: those of the same hardware read by Modbus.

The parser checks these ranges where it reads the fields.
"""

from edge_agent.drivers.berth.channels import CHANNELS, TIDE_CHANNELS

__all__ = ["CHANNELS", "TIDE_CHANNELS"]
