import asyncio

import pytest

from contracts.errors import LinkError
from contracts.payloads import Payload, Wind
from edge_agent.clock import Moment
from edge_agent.drivers.nmea import driver
from edge_agent.drivers.nmea.driver import NmeaSession
from edge_agent.drivers.vitals import Vitals
from firmware_configs.hardware_profile import NmeaSource
from tests.support.nmea_lines import static


def checksum(body: bytes) -> bytes:
    total = 0
    for byte in body:
        total ^= byte
    return b"$%s*%02X\r\n" % (body, total)


WIND = checksum(b"WIMWV,214.8,T,7.5,M,A")


class ListSink:
    def __init__(self) -> None:
        self.taken: list[tuple[Payload, str | None]] = []

    def put(self, payload: Payload, raw: str | None, at: Moment, place: str | None = None) -> None:
        assert at.wall_ns > 0
        assert place is None
        self.taken.append((payload, raw))

    def watch(self, payload: Payload, at: Moment, place: str | None = None) -> None:
        raise AssertionError(payload, at, place)

    async def room(self) -> None:
        return


class ScriptedLink:
    """Bytes, a pause (``None``), the end (``b""``) or a failure, one entry a read."""

    def __init__(self, *script: bytes | LinkError | None) -> None:
        self._script = list(script)
        self.counters = {"bytes": 100, "lines": 3, "overruns": 2}
        self.is_open = False

    async def open(self) -> None:
        self.is_open = True

    async def read(self) -> bytes:
        step = self._script.pop(0)
        if step is None:
            await asyncio.Event().wait()
        if isinstance(step, LinkError):
            raise step
        assert isinstance(step, bytes)
        return step

    async def close(self) -> None:
        self.is_open = False


LOST = LinkError("read", "port", "hung up", "", "lost")


def session_of(
    link: ScriptedLink, *, keep_raw: bool = True, settings: dict[str, object] | None = None
) -> tuple[NmeaSession, ListSink, Vitals]:
    source = NmeaSource.model_validate(
        {"source": "wind", "driver": "nmea", "keep_raw": keep_raw, "link": {"kind": "udp", "port": 10110}}
        | (settings or {})
    )
    sink, vitals = ListSink(), Vitals(0.0)
    return NmeaSession(source, link, sink, vitals), sink, vitals


async def test_sentences_become_payloads_with_their_sentence() -> None:
    session, sink, _ = session_of(ScriptedLink(WIND[:9], WIND[9:] + WIND, LOST))
    with pytest.raises(LinkError):
        await session.serve(lambda: None)
    assert sink.taken == [(Wind(speed_mps=7.5, direction_deg=214.8), WIND.decode().strip())] * 2


async def test_without_keep_raw_the_sentence_is_not_kept() -> None:
    session, sink, _ = session_of(ScriptedLink(WIND, LOST), keep_raw=False)
    with pytest.raises(LinkError):
        await session.serve(lambda: None)
    assert [raw for _, raw in sink.taken] == [None]


async def test_a_message_in_parts_is_put_when_it_is_due_though_the_line_is_silent() -> None:
    first, second = static(219000001, "ALPHA")
    session, sink, _ = session_of(ScriptedLink(first, second, None, LOST), settings={"fragment_window_s": 0.002})
    with pytest.raises(LinkError):
        async with asyncio.timeout(driver.READ_WAIT_S / 2):
            await session.serve(lambda: None)
    assert [getattr(payload, "name", None) for payload, _ in sink.taken] == ["ALPHA"]


async def test_repairs_of_a_dialect_are_counted_by_name_and_strict_rejects() -> None:
    line = checksum(b"AIVDM,1,1,3,,13aI8e?P00PGpU:NR6s00?vT2000,0,0").replace(b"$", b"!")
    for dialect, counts in (
        ("strict", {"vdm_extra_field": 1}),
        ("gofree", dict.fromkeys(
            ("repaired_vdm_extra_field", "repaired_vdm_sequence_on_single", "repaired_vdm_empty_channel"), 1
        )),
    ):  # fmt: skip
        session, sink, vitals = session_of(ScriptedLink(line, LOST), settings={"dialect": dialect})
        with pytest.raises(LinkError):
            await session.serve(lambda: None)
        assert {name: count for name, count in vitals.rejected().items() if "vdm" in name} == counts
        assert len(sink.taken) == (dialect == "gofree")


async def test_a_slow_serial_line_adds_the_time_of_a_sentence_to_the_window() -> None:
    """At 4,800 baud the second of two sentences that follow each other is whole 171 ms after the first."""
    slow = {"kind": "serial", "device": "/dev/ttyUSB0", "baud": 4800}
    for link, window_s in ((slow, 0.271), (slow | {"baud": 38400}, 0.121), ({"kind": "udp", "port": 1}, 0.1)):
        session, _, _ = session_of(ScriptedLink(), settings={"link": link})
        assert session._decoder._vdm._assembler._window_ns == pytest.approx(window_s * 1e9, abs=1e6)


async def test_a_last_line_without_its_end_is_put_when_the_link_closes() -> None:
    session, sink, _ = session_of(ScriptedLink(WIND.rstrip(), b""))
    await session.serve(lambda: None)
    assert sink.taken == []
    await session.close()
    assert len(sink.taken) == 1


async def test_what_was_cut_by_a_lost_link_does_not_join_with_what_comes_after() -> None:
    """Half a sentence, the cable pulled, and after it is plugged in again a whole one."""
    session, sink, vitals = session_of(ScriptedLink(WIND[:12], LOST, WIND, LOST))
    for _ in range(2):
        with pytest.raises(LinkError):
            await session.serve(lambda: None)
        await session.close()
    assert len(sink.taken) == 1
    assert sum(count for reason, count in vitals.rejected().items() if reason != "overruns") == 1


async def test_silent_hardware_is_alive_and_proven_after_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "READ_WAIT_S", 0.001)
    session, sink, vitals = session_of(ScriptedLink(None, None, None, LOST))
    proofs: list[int] = []
    with pytest.raises(LinkError):
        await session.serve(lambda: proofs.append(1))
    assert len(proofs) == 3
    assert sink.taken == []
    assert vitals.is_alive(asyncio.get_running_loop().time())


async def test_counts_of_parser_and_link_are_told_but_not_what_went_well() -> None:
    session, _, vitals = session_of(ScriptedLink(b"$WIMWV,1*00\r\n", LOST))
    with pytest.raises(LinkError):
        await session.serve(lambda: None)
    assert vitals.rejected() == {"checksum": 1, "overruns": 2}
