"""PLCs by Modbus TCP or RTU through pymodbus, read only: adapter of the drivers' ``PlcReader``.

Three fences keep it so: this type offers reads and nothing else; only pymodbus's four read methods are named here (a
test walks the code); and every request of either client passes ``_refuse_writes`` before it becomes bytes. pymodbus's
own reconnection and retries are off: the driver decides when to try again. On a serial bus an answer that comes too
late meets no request and is left out by pymodbus, or is of another unit than the one asked and skipped.

*Source:* Modbus Messaging on TCP/IP Implementation Guide V1.0b; MODBUS over Serial Line V1.02, clause 2.5.1 (RTU);
Application Protocol V1.1b3, clauses 6.1 to 6.4, 7.
"""

import asyncio
import logging
import termios
from collections.abc import Awaitable, Callable, Sequence

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from contracts.errors import LinkError, PeerError
from edge_agent.parsers.register_reads import ReadBlock
from edge_agent.parsers.registers import BIT_TABLES
from firmware_configs.links import SerialLink, TcpLink

READ_FUNCTIONS = frozenset({1, 2, 3, 4})
"""Function codes that read. Nothing else leaves this process."""

SERIAL_OPEN_TIMEOUT_S = 5.0
"""Opening a serial port; a USB adapter that is just plugged in takes seconds."""

_Client = AsyncModbusTcpClient | AsyncModbusSerialClient
_Read = Callable[[ReadBlock], Awaitable[ModbusPDU]]

# pymodbus logs every failed attempt as an error; the driver tells each once, on the transition
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


def _refuse_writes(is_sending: bool, pdu: ModbusPDU) -> ModbusPDU:  # noqa: FBT001 - pymodbus passes it by position
    if is_sending and pdu.function_code not in READ_FUNCTIONS:
        raise AssertionError(f"function code {pdu.function_code} would write to a PLC")
    return pdu


def open_timeout_s(link: TcpLink | SerialLink) -> float:
    """Return the longest time that connecting may take, s."""
    return link.connect_timeout_s if isinstance(link, TcpLink) else SERIAL_OPEN_TIMEOUT_S


class ModbusReader:
    """The PLCs behind one TCP connection, or on one serial bus, read only.

    Args:
        link: where they are.
        answer_timeout_s: longest wait for one answer, s.
    """

    def __init__(self, link: TcpLink | SerialLink, answer_timeout_s: float) -> None:
        self._link = link
        self._answer_timeout_s = answer_timeout_s
        self._where = f"{link.host}:{link.port}" if isinstance(link, TcpLink) else link.device
        self._client: _Client | None = None

    async def open(self) -> None:
        """Connect, or open and lock the port.

        Raises:
            LinkError: refused, not reachable, or no such port (reason ``refused``).
        """
        await self.close()
        client = _make_client(self._link)
        self._client = client  # before the wait: a connection that is given up is closed like any other
        try:
            is_open = await client.connect()
        except (ModbusException, OSError, ValueError, termios.error) as exc:
            await self.close()
            raise LinkError("connect to PLC", self._where, str(exc), "check the port", "refused") from exc
        if not is_open:
            await self.close()
            raise LinkError("connect to PLC", self._where, "no connection", "check power, cable and address", "refused")

    async def read(self, unit_id: int, block: ReadBlock) -> Sequence[int]:
        """Return ``block.quantity`` registers 0 to 65535, or bits 0 or 1, of one unit.

        Raises:
            LinkError: no answer within the timeout (reason ``timeout``) or the connection is gone (``lost``).
            PeerError: the PLC answered with an exception (reason ``modbus_exception_{code}``) or another quantity
                (reason ``modbus_size``).
        """
        client, subject = self._client, f"{self._where} unit {unit_id}"
        if client is None or not client.connected:
            raise LinkError("read PLC", subject, "connection is gone", "", "lost")
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                answer = await _reads(client, unit_id)[block.table](block)
        except TimeoutError as exc:
            if not client.connected:
                raise LinkError("read PLC", subject, "connection is gone", "check the cable", "lost") from exc
            cause = f"no answer within {self._answer_timeout_s:g} s"
            raise LinkError("read PLC", subject, cause, "is it in program mode?", "timeout") from exc
        except (ModbusException, OSError, termios.error) as exc:
            raise LinkError("read PLC", subject, str(exc), "", "lost") from exc
        return _content(subject, block, answer)

    async def close(self) -> None:
        """Disconnect; any number of times."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _make_client(link: TcpLink | SerialLink) -> _Client:
    if isinstance(link, TcpLink):
        return AsyncModbusTcpClient(
            link.host, port=link.port, timeout=link.connect_timeout_s, retries=0, reconnect_delay=0,
            trace_pdu=_refuse_writes,
        )  # fmt: skip
    return AsyncModbusSerialClient(
        link.device, baudrate=link.baud, parity=link.parity, stopbits=link.stop_bits, timeout=SERIAL_OPEN_TIMEOUT_S,
        retries=0, reconnect_delay=0, trace_pdu=_refuse_writes,
    )  # fmt: skip


def _reads(client: _Client, unit_id: int) -> dict[str, _Read]:
    return {
        "coil": lambda block: client.read_coils(block.address, count=block.quantity, device_id=unit_id),
        "discrete_input": lambda block: client.read_discrete_inputs(
            block.address, count=block.quantity, device_id=unit_id
        ),
        "holding_register": lambda block: client.read_holding_registers(
            block.address, count=block.quantity, device_id=unit_id
        ),
        "input_register": lambda block: client.read_input_registers(
            block.address, count=block.quantity, device_id=unit_id
        ),
    }


def _content(subject: str, block: ReadBlock, answer: ModbusPDU) -> Sequence[int]:
    where = f"{subject} {block.table} {block.address}..{block.address + block.quantity - 1}"
    if answer.isError():
        code = answer.exception_code
        raise PeerError("read PLC", where, f"exception {code}", "compare the register map", f"modbus_exception_{code}")
    # bits arrive in whole bytes: what is behind the last one asked for is padding
    is_bits = block.table in BIT_TABLES
    content = [int(bit) for bit in answer.bits[: block.quantity]] if is_bits else list(answer.registers)
    if len(content) != block.quantity:
        raise PeerError("read PLC", where, f"{len(content)} of {block.quantity} values", "", "modbus_size")
    return content
