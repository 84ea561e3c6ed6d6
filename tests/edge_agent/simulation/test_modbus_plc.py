"""The PLC's answers, without a socket: what pymodbus asks of it, and what it gives."""

import pytest
from pymodbus.constants import ExcCodes

from edge_agent.simulation.modbus_plc import ModbusPlc
from firmware_configs.loading import PROFILES_DIR, read_profile
from firmware_configs.registers import RegisterMap

REGISTERS = PROFILES_DIR / "hardware" / "registers"
FAMILY_A = read_profile(REGISTERS / "sts-plc-a.yaml", RegisterMap)
FAMILY_B = read_profile(REGISTERS / "sts-plc-b.yaml", RegisterMap)
VALUES = {"hoist_m": 12.34, "is_spreader_landed": True, "wind_mps": 7.0, "colour": 3.0}


def plc(register_map: RegisterMap = FAMILY_A) -> ModbusPlc:
    return ModbusPlc(register_map, 1, lambda: VALUES)


async def test_registers_hold_the_present_values() -> None:
    registers = [9] * 11
    assert await plc()._answer(4, 0, 0, 11, registers, None) is None
    assert registers[4] == 1234
    assert registers[7] == 70


async def test_bits_are_packed_lowest_first_and_cleared() -> None:
    registers = [0b1]
    assert await plc()._answer(2, 0, 0, 1, registers, None) is None
    assert registers == [0b10]


async def test_a_table_may_begin_anywhere() -> None:
    registers = [0] * 9
    assert await plc(FAMILY_B)._answer(3, 100, 100, 9, registers, None) is None
    assert registers[8] == 0b10
    assert registers[7] == 700


@pytest.mark.parametrize("function_code", [1, 3])
async def test_a_table_that_the_plc_does_not_have_is_an_illegal_address(function_code: int) -> None:
    answer = await plc()._answer(function_code, 0, 0, 1, [0], None)
    assert answer is ExcCodes.ILLEGAL_ADDRESS


@pytest.mark.parametrize("function_code", [5, 6, 15, 16])
async def test_it_refuses_to_be_written(function_code: int) -> None:
    registers = [7] * 8
    assert await plc()._answer(function_code, 0, 0, 1, registers, [1]) is ExcCodes.ILLEGAL_FUNCTION
    assert registers == [7] * 8


def test_a_field_that_the_map_lacks_is_left_out() -> None:
    assert plc().image()["input_register"][4] == 1234
