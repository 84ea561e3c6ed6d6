"""No path from this program to a write on a PLC: the code is walked, the type is looked at, the last fence is tried."""

import ast
from pathlib import Path

import pytest
from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest
from pymodbus.pdu.register_message import ReadInputRegistersRequest, WriteSingleRegisterRequest

from edge_agent.links import modbus_reader
from edge_agent.links.modbus_reader import ModbusReader
from firmware_configs.links import SerialLink, TcpLink

PACKAGE = Path(__file__).parent.parent.parent.parent / "edge_agent"
READS = {"read_coils", "read_discrete_inputs", "read_holding_registers", "read_input_registers"}
CLIENT = {"connect", "connected", "close"}
REQUESTS = {
    name for name in dir(ModbusClientMixin) if not name.startswith("_") and callable(getattr(ModbusClientMixin, name))
}
CONVERSIONS = {"convert_to_registers", "convert_from_registers"}


def driver_files() -> list[Path]:
    """Everything but the simulated PLCs, which are the other side."""
    return [path for path in PACKAGE.rglob("*.py") if "simulation" not in path.relative_to(PACKAGE).parts]


def imported(source: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(source)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in names}


def forbidden_requests(source: str) -> set[str]:
    names = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return names & (REQUESTS - READS - CONVERSIONS)


def test_pymodbus_has_requests_that_write() -> None:
    assert {"write_coil", "write_register", "write_registers", "readwrite_registers", "execute"} <= REQUESTS


def test_only_one_file_knows_the_modbus_client() -> None:
    users = [path.name for path in driver_files() if "pymodbus" in imported(path.read_text())]
    assert users == ["modbus_reader.py"]


def test_no_file_of_the_agent_names_a_request_that_writes() -> None:
    guilty = {path.name: found for path in driver_files() if (found := forbidden_requests(path.read_text()))}
    assert guilty == {}


def test_the_walk_sees_a_write() -> None:
    """Mutation proof: the same walk finds the line that nobody may add."""
    source = Path(modbus_reader.__file__).read_text().replace("client.read_coils(", "client.write_coils(")
    assert forbidden_requests(source) == {"write_coils"}


def test_the_type_offers_reads_and_nothing_else() -> None:
    assert {name for name in dir(ModbusReader) if not name.startswith("_")} == {"open", "read", "close"}


@pytest.mark.parametrize("request_", [WriteSingleCoilRequest(address=0), WriteSingleRegisterRequest(address=0)])
def test_a_write_that_was_made_anyhow_never_becomes_bytes(request_: ModbusPDU) -> None:
    with pytest.raises(AssertionError, match="would write"):
        modbus_reader._refuse_writes(True, request_)


def unfenced_clients(source: str) -> list[int]:
    """Lines where a pymodbus client is made without the fence."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id.startswith("AsyncModbus")]
    assert len(made) == 2, "TCP and serial"
    fenced = [call for call in made if any(
        key.arg == "trace_pdu" and isinstance(key.value, ast.Name) and key.value.id == "_refuse_writes"
        for key in call.keywords
    )]  # fmt: skip
    return [call.lineno for call in made if call not in fenced]


def test_every_client_is_made_with_the_fence() -> None:
    source = Path(modbus_reader.__file__).read_text()
    assert unfenced_clients(source) == []
    assert len(unfenced_clients(source.replace("trace_pdu=_refuse_writes", "trace_pdu=None"))) == 2


@pytest.mark.parametrize("link", [
    TcpLink(kind="tcp", host="127.0.0.1", port=502), SerialLink(kind="serial", device="/dev/bus"),
])  # fmt: skip
async def test_the_fence_stands_in_the_client_of_either_link(link: TcpLink | SerialLink) -> None:
    """What the client would send is what passes its trace: no write passes it, every read does."""
    client = modbus_reader._make_client(link)
    for write in (WriteSingleCoilRequest(address=0), WriteSingleRegisterRequest(address=0)):
        with pytest.raises(AssertionError, match="would write"):
            client.ctx.pdu_send(write)
    assert client.ctx.trace_pdu is modbus_reader._refuse_writes


def test_reads_pass_the_fence() -> None:
    request = ReadInputRegistersRequest(address=0, count=1)
    assert modbus_reader._refuse_writes(True, request) is request
