"""A PLC: pymodbus's real TCP server showing a register map, with the faults that PLCs have."""

import asyncio
from collections.abc import Mapping

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.parsers.registers import Value, encode_map
from firmware_configs.registers import RegisterMap

_TABLE_OF_FUNCTION = {1: "coil", 2: "discrete_input", 3: "holding_register", 4: "input_register"}
_TABLES = ("coil", "discrete_input", "holding_register", "input_register")


class PlcServer:
    """Shows a register map on a port of the loopback interface.

    Attributes:
        function_codes: of every request, in order.
        is_silent: requests are never answered.
        refusal: exception to answer with.
    """

    def __init__(self, register_map: RegisterMap, values: Mapping[str, Value], port: int) -> None:
        self.port = port
        self.function_codes: list[int] = []
        self.is_silent = False
        self.refusal: ExcCodes | None = None
        self._map = register_map
        self._image = encode_map(register_map, values)
        self._server: ModbusTcpServer | None = None

    def show(self, values: Mapping[str, Value]) -> None:
        """Change what it shows."""
        self._image = encode_map(self._map, values)

    def poke(self, table: str, address: int, word: int) -> None:
        """Change one register, whatever it means."""
        self._image[table][address] = word

    async def start(self) -> None:
        blocks = tuple(self._block(table) for table in _TABLES)
        device = SimDevice(1, simdata=(blocks[0], blocks[1], blocks[2], blocks[3]), action=self._answer)
        self._server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await self._server.serve_forever(background=True)

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped
            self._server = None
            await asyncio.sleep(0)

    def _block(self, table: str) -> list[SimData]:
        content = self._image.get(table, {0: 0})
        first = min(content)
        words = [content.get(address, 0) for address in range(first, max(content) + 1)]
        if table in ("coil", "discrete_input"):
            return [SimData(first, values=[bool(word) for word in words], datatype=DataType.BITS)]
        return [SimData(first, values=list(words), datatype=DataType.REGISTERS)]

    async def _answer(
        self,
        code: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        _values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        self.function_codes.append(code)
        if self.is_silent:
            await asyncio.sleep(30)
        name = _TABLE_OF_FUNCTION.get(code, "")
        table = self._image.get(name, {})
        if name in ("coil", "discrete_input"):
            # pymodbus keeps sixteen bits a register, and counts registers here
            for place, bit in table.items():
                index, shift = divmod(place, 16)
                registers[index - start] = registers[index - start] & ~(1 << shift) | bit << shift
        else:
            for place in range(address, address + count):
                registers[place - start] = table.get(place, 0)
        return self.refusal
