import msgspec

from contracts.health import GatewayStatus, SourceStatus
from contracts.payloads import Alarm
from contracts.records import Clock, ClockState
from gateway.alarms.active import SourceAlarm
from gateway.cli.status import describe
from gateway.local.board import Board, LocalStatus, UplinkStatus
from gateway.local.html import render

NS = 1_000_000_000


def newest() -> LocalStatus:
    status = GatewayStatus(
        site="s", gateway="g", at_ns=2 * NS, boot_id="b", started_at_ns=NS, software="1",
        clock=Clock(ClockState.NTP, 2.0),
        sources=[
            SourceStatus(source="crane-1", kind="quay_crane", place="sts-1", state="running", last_record_at_ns=NS)
        ],
    )  # fmt: skip
    link = UplinkStatus(is_up=False, broker="b:8883", reason="refused", cause="<b>no</b>", hint="running?")
    return LocalStatus(status=status, uplink=link, used_bytes=50, capacity_bytes=100, trouble="")


STOP = SourceAlarm(
    source="crane-1",
    place="sts-1",
    alarm=Alarm(
        alarm="crane_wind_stop", severity="alarm", is_active=True, value=21.4, limit=20.0, unit="m/s", raised_at_ns=NS
    ),
)


def test_the_page_shows_alarms_first_in_spanish_with_english_beside() -> None:
    text = render(msgspec.structs.replace(newest(), alarms=[STOP]), 6 * NS, 6 * NS).decode()
    assert "Alarmas activas / active alarms: 1" in text
    assert '<li class="alarm"><b>Viento: parada</b> / Wind: stop<br>sts-1: 21.4 m/s (límite / limit 20)' in text
    assert "desde / since 5 s" in text
    assert text.index("Alarmas") < text.index("Enlace") < text.index("Fuentes")


def test_what_devices_and_profiles_say_is_escaped_and_nothing_is_loaded() -> None:
    text = render(newest(), 6 * NS, 6 * NS).decode()
    assert "<b>no</b>" not in text
    assert "&lt;b&gt;no&lt;/b&gt;" in text
    assert "<script" not in text
    assert "src=" not in text
    assert "href=" not in text


def test_an_alarm_kind_without_a_name_is_shown_by_its_word() -> None:
    odd = msgspec.structs.replace(STOP, alarm=msgspec.structs.replace(STOP.alarm, alarm="odd", value=None, limit=None))
    assert (
        "<b>odd</b> / odd<br>sts-1: — m/s" in render(msgspec.structs.replace(newest(), alarms=[odd]), NS, NS).decode()
    )


def test_before_the_first_status_it_says_so() -> None:
    assert b"Arrancando / starting" in render(None, NS, NS)


def test_alarms_do_not_wait_for_the_next_status_and_are_in_the_technicians_lines() -> None:
    board = Board()
    board.put(newest())
    board.put_alarms([STOP])
    shown = board.newest()
    assert shown is not None
    assert shown.alarms == [STOP]
    lines = describe(shown)
    assert "ALARMA / ALARM: Viento: parada / Wind: stop, sts-1: 21.4 m/s, límite / limit 20" in lines


def test_no_age_on_the_page_moves_with_a_step_of_the_clock() -> None:
    """The system clock steps from 1970 to today and back; the alarm is 5 s old, the source 4 s, the status 3 s."""
    status = newest().status
    source = msgspec.structs.replace(status.sources[0], last_record_age_s=1.0)
    shown = msgspec.structs.replace(
        newest(),
        status=msgspec.structs.replace(status, sources=[source]),
        at_mono_ns=97 * NS,
        alarms=[msgspec.structs.replace(STOP, raised_mono_ns=95 * NS, boot_id="b")],
    )
    for wall_ns in (0, 1_790_000_000 * NS, 5 * NS):
        text = render(shown, wall_ns, 100 * NS).decode()
        assert "desde / since 5 s" in text
        assert "último / last 4 s" in text
        assert "estado / status 3 s" in text


def test_an_alarm_of_an_earlier_boot_has_only_its_wall_time() -> None:
    other = msgspec.structs.replace(STOP, raised_mono_ns=95 * NS, boot_id="before")
    assert other.age_s(6 * NS, 100 * NS, "b") == 5.0
    assert msgspec.structs.replace(other, boot_id="b").age_s(0, 90 * NS, "b") == 0.0
