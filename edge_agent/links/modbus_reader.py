"""A PLC by Modbus TCP through pymodbus, read only: adapter of the drivers' ``PlcReader``.

Three fences keep it so: this type offers reads and nothing else; only pymodbus's four read methods are named here (a
test walks the code); and every request passes ``_refuse_writes`` before it becomes bytes. pymodbus's own reconnection
and retries are off: the driver decides when to try again.

*Source:* Modbus Messaging on TCP/IP Implementation Guide V1.0b; Application Protocol V1.1b3, clauses 6.1 to 6.4, 7.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from contracts.errors import LinkError, PeerError
from edge_agent.parsers.register_reads import ReadBlock
from edge_agent.parsers.registers import BIT_TABLES
from firmware_configs.links import TcpLink

READ_TIMEOUT_S = 1.0
"""Longest wait for one answer. PLCs answer within 100 ms; a second without one is a PLC that is gone."""

READ_FUNCTIONS = frozenset({1, 2, 3, 4})
"""Function codes that read. Nothing else leaves this process."""

_Read = Callable[[ReadBlock], Awaitable[ModbusPDU]]

# pymodbus logs every failed attempt as an error; the driver tells each once, on the transition
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


def _refuse_writes(is_sending: bool, pdu: ModbusPDU) -> ModbusPDU:  # noqa: FBT001 - pymodbus passes it by position
    if is_sending and pdu.function_code not in READ_FUNCTIONS:
        raise AssertionError(f"function code {pdu.function_code} would write to a PLC")
    return pdu


class ModbusReader:
    """One PLC, read only.

    Args:
        link: where it listens.
        unit_id: Modbus unit, 0 to 247.
        read_timeout_s: longest wait for one answer, s, at most ``READ_TIMEOUT_S``.
    """

    def __init__(self, link: TcpLink, unit_id: int, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._link = link
        self._unit_id = unit_id
        self._read_timeout_s = min(read_timeout_s, READ_TIMEOUT_S)
        self._subject = f"{link.host}:{link.port} unit {unit_id}"
        self._client: AsyncModbusTcpClient | None = None

    async def open(self) -> None:
        """Connect within the link's ``connect_timeout_s``.

        Raises:
            LinkError: refused or not reachable (reason ``refused``).
        """
        await self.close()
        client = AsyncModbusTcpClient(
            self._link.host, port=self._link.port, timeout=self._link.connect_timeout_s, retries=0, reconnect_delay=0,
            trace_pdu=_refuse_writes,
        )  # fmt: skip
        self._client = client  # before the wait: a connection that is given up is closed like any other
        if not await client.connect():
            await self.close()
            raise LinkError(
                "connect to PLC", self._subject, "no connection", "check power, cable and address", "refused"
            )

    async def read(self, block: ReadBlock) -> Sequence[int]:
        """Return ``block.quantity`` registers 0 to 65535, or bits 0 or 1.

        Raises:
            LinkError: no answer within the read timeout (reason ``timeout``) or the connection is gone (``lost``).
            PeerError: the PLC answered with an exception (reason ``modbus_exception_{code}``) or another quantity
                (reason ``modbus_size``).
        """
        client = self._client
        if client is None or not client.connected:
            raise LinkError("read PLC", self._subject, "connection is gone", "", "lost")
        try:
            async with asyncio.timeout(self._read_timeout_s):
                answer = await self._reads(client)[block.table](block)
        except TimeoutError as exc:
            cause = f"no answer within {self._read_timeout_s:g} s"
            raise LinkError("read PLC", self._subject, cause, "is it in program mode?", "timeout") from exc
        except (ModbusException, OSError) as exc:
            raise LinkError("read PLC", self._subject, str(exc), "", "lost") from exc
        return self._content(block, answer)

    async def close(self) -> None:
        """Disconnect; any number of times."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _reads(self, client: AsyncModbusTcpClient) -> dict[str, _Read]:
        unit = self._unit_id
        return {
            "coil": lambda block: client.read_coils(block.address, count=block.quantity, device_id=unit),
            "discrete_input": lambda block: client.read_discrete_inputs(
                block.address, count=block.quantity, device_id=unit
            ),
            "holding_register": lambda block: client.read_holding_registers(
                block.address, count=block.quantity, device_id=unit
            ),
            "input_register": lambda block: client.read_input_registers(
                block.address, count=block.quantity, device_id=unit
            ),
        }

    def _content(self, block: ReadBlock, answer: ModbusPDU) -> Sequence[int]:
        where = f"{self._subject} {block.table} {block.address}..{block.address + block.quantity - 1}"
        if answer.isError():
            code = answer.exception_code
            raise PeerError(
                "read PLC", where, f"exception {code}", "compare the register map", f"modbus_exception_{code}"
            )
        # bits arrive in whole bytes: what is behind the last one asked for is padding
        is_bits = block.table in BIT_TABLES
        content = [int(bit) for bit in answer.bits[: block.quantity]] if is_bits else list(answer.registers)
        if len(content) != block.quantity:
            raise PeerError("read PLC", where, f"{len(content)} of {block.quantity} values", "", "modbus_size")
        return content
