"""A PLC as a Modbus server: shows values of the simulation by a register map, and refuses to be written.

*Source:* Modbus Application Protocol V1.1b3, clause 7 (exception codes); pymodbus 3.16 server with ``SimDevice``.
"""

from asyncio import Server
from collections.abc import Callable, Mapping
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from contracts.errors import LinkError
from edge_agent.parsers.registers import encode_map
from edge_agent.simulation.tcp_feed import HOST
from firmware_configs.registers import RegisterMap

Values = Callable[[], Mapping[str, float | bool]]

TABLE_OF_FUNCTION = {1: "coil", 2: "discrete_input", 3: "holding_register", 4: "input_register"}
_BITS = 16


class ModbusPlc:
    """One simulated PLC; ``open`` lets it listen on a port of its own, ``device`` puts it on a bus.

    Args:
        register_map: where it shows what.
        unit_id: its Modbus unit.
        values: called at each request; returns the present values by field. What the map lacks is left out.
    """

    def __init__(self, register_map: RegisterMap, unit_id: int, values: Values) -> None:
        self._map = register_map
        self.unit_id = unit_id
        self._values = values
        self._fields = {tag.field for tag in register_map.tags}
        self._server: ModbusTcpServer | None = None
        self._port = 0

    async def open(self) -> None:
        """Listen on a free port.

        Raises:
            LinkError: the port cannot be had.
        """
        self._server = ModbusTcpServer(self.device(), address=(HOST, 0))
        try:
            await self._server.serve_forever(background=True)
        except RuntimeError as exc:
            raise LinkError("listen", HOST, str(exc), "", "refused") from exc
        # the transport of a listening pymodbus server is an asyncio server
        self._port = cast("Server", self._server.transport).sockets[0].getsockname()[1]

    def device(self) -> SimDevice:
        """Return the PLC for a pymodbus server of any kind."""
        return SimDevice(self.unit_id, simdata=self._blocks(), action=self._answer)

    def link(self) -> dict[str, object]:
        """Return the link settings of the server."""
        return {"kind": "tcp", "host": HOST, "port": self._port}

    async def close(self) -> None:
        """Stop listening and cut all masters."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus has no types there

    def image(self) -> dict[str, dict[int, int]]:
        """Return what the PLC shows now, by table and address."""
        values = {field: value for field, value in self._values().items() if field in self._fields}
        return encode_map(self._map, values)

    def _blocks(self) -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
        """Return the address space: for each table exactly what the map has; all else is an illegal address."""
        image = encode_map(self._map, {})
        bits = [
            [SimData(address, values=[False], datatype=DataType.BITS) for address in sorted(image.get(table, {}))]
            for table in ("coil", "discrete_input")
        ]
        words = [
            [SimData(address, datatype=DataType.REGISTERS) for address in sorted(image.get(table, {}))]
            for table in ("holding_register", "input_register")
        ]
        # pymodbus wants at least one entry a table
        no_bits, no_words = [SimData(0, values=[False], datatype=DataType.BITS)], [SimData(0)]
        return bits[0] or no_bits, bits[1] or no_bits, words[0] or no_words, words[1] or no_words

    async def _answer(
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        current_registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Fill the registers of the table that is asked for with the present values."""
        del address, count
        table = TABLE_OF_FUNCTION.get(function_code)
        if set_values is not None or table is None:
            return ExcCodes.ILLEGAL_FUNCTION
        image = self.image()
        if table not in image:
            return ExcCodes.ILLEGAL_ADDRESS
        for place, word in image[table].items():
            if table in ("coil", "discrete_input"):
                index, bit = divmod(place, _BITS)
                mask = 1 << bit
                index -= start_address
                current_registers[index] = current_registers[index] & ~mask | (mask if word else 0)
            else:
                current_registers[place - start_address] = word
        return None
