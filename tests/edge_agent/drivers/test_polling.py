import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from contracts.errors import LinkError, PeerError
from contracts.payloads import CraneSample, Payload
from edge_agent.clock import Moment
from edge_agent.drivers.polling import PollingSession
from edge_agent.drivers.quay_crane.channels import CHANNELS
from edge_agent.drivers.unit_poll import PolledUnit
from edge_agent.drivers.vitals import Vitals
from edge_agent.parsers.register_map import fit_map
from edge_agent.parsers.register_reads import ReadBlock
from edge_agent.parsers.registers import encode_map
from firmware_configs.loading import read_profile
from firmware_configs.registers import RegisterMap

MAP = Path(__file__).parent.parent.parent.parent / "firmware_configs" / "hardware" / "registers" / "sts-plc-a.yaml"


class ListSink:
    def __init__(self) -> None:
        self.payloads: list[Payload] = []
        self.places: set[str | None] = set()
        self.watched: list[Payload] = []

    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        assert raw is None
        assert at.mono_ns > 0
        self.payloads.append(payload)
        self.places.add(place)

    def watch(self, payload: Payload, at: Moment, place: str | None = None) -> None:
        assert at.mono_ns > 0
        self.watched.append(payload)
        self.places.add(place)

    async def room(self) -> None:
        return


class ScriptedPlc:
    """Answers from a register image, or raises what its script says, one entry a poll; then the link is lost."""

    def __init__(self, register_map: RegisterMap, *script: float | Exception) -> None:
        self._map = register_map
        self._script = list(script)
        self._image: dict[str, dict[int, int]] = {}
        self.is_open = False

    async def open(self) -> None:
        self.is_open = True

    async def read(self, unit_id: int, block: ReadBlock) -> Sequence[int]:
        assert unit_id == 1
        if block.table == "discrete_input":  # the first read of a poll of this map
            if not self._script:
                raise LinkError("read", "plc", "gone", "", "lost")
            step = self._script.pop(0)
            if isinstance(step, Exception):
                raise step
            self._image = encode_map(self._map, {"hoist_load_t": step})
        return [self._image[block.table][block.address + place] for place in range(block.quantity)]

    async def close(self) -> None:
        self.is_open = False


async def serve(*script: float | Exception) -> tuple[PollingSession, ListSink, Vitals, int]:
    register_map = fit_map(read_profile(MAP, RegisterMap), CHANNELS)
    plc, sink, vitals = ScriptedPlc(register_map, *script), ListSink(), Vitals(0.0)
    session = PollingSession(plc, [PolledUnit(1, register_map)], 1000.0, 3600.0, 1.0, sink, vitals, "crane")
    proofs = 0

    def proven() -> None:
        nonlocal proofs
        proofs += 1
        vitals.link_up()

    await session.open()
    with pytest.raises(LinkError):
        await serve_within(session, proven)
    await session.close()
    assert not plc.is_open
    return session, sink, vitals, proofs


async def serve_within(session: PollingSession, proven: Callable[[], None]) -> None:
    async with asyncio.timeout(5):
        await session.serve(proven)


async def test_only_changes_become_records() -> None:
    _, sink, _, proofs = await serve(10.0, 10.0, 10.05, 20.0, 20.0)
    loads = [sample.hoist_load_t for sample in sink.payloads if isinstance(sample, CraneSample)]
    assert loads == [10.0, 20.0]
    assert proofs == 5


async def test_an_exception_of_the_plc_is_counted_and_it_is_asked_again() -> None:
    refusal = PeerError("read", "plc", "exception 6", "", "modbus_exception_6")
    session, sink, vitals, proofs = await serve(10.0, refusal, refusal, 30.0)
    assert session.counts()["modbus_exception_6"] == 2
    assert len(sink.payloads) == 2
    assert proofs == 4
    assert vitals.last_error == ""


async def test_a_plc_that_only_refuses_is_up_with_its_error() -> None:
    refusal = PeerError("read", "plc", "exception 2", "", "modbus_exception_2")
    _, sink, vitals, _ = await serve(refusal, refusal)
    assert sink.payloads == []
    assert vitals.is_link_up
    assert "exception 2" in vitals.last_error
    assert vitals.rejected()["modbus_exception_2"] == 2
