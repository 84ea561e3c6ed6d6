"""Modbus units: the PLCs that one connection or one RS-485 bus reaches, each with its register map."""

from typing import Annotated

from pydantic import Field

from firmware_configs.base import Id, Profile
from firmware_configs.links import SerialLink, TcpLink
from firmware_configs.registers import RegisterMap

ModbusLink = Annotated[TcpLink | SerialLink, Field(discriminator="kind")]
"""Modbus TCP, or Modbus RTU on a serial port."""

BreakingLoad = Annotated[float, Field(gt=0, le=10_000)]


class ModbusUnit(Profile):
    """One PLC.

    Attributes:
        unit_id: Modbus unit, 0 to 247; on a serial bus from 1, for 0 is everybody.
        registers: name of the register map (a file of ``hardware/registers``), or the map itself.
        place: asset that it observes, where it is not the source's.
        line_breaking_load_kn: breaking load of the mooring line on each hook, kN; one number: the same on all.
    """

    unit_id: int = Field(default=1, ge=0, le=247)
    registers: str | RegisterMap
    place: Id | None = None
    line_breaking_load_kn: BreakingLoad | list[BreakingLoad] | None = None
