from typing import Any

import msgspec

from contracts.health import ClassStatus
from contracts.records import Clock, ClockState
from gateway.cli.status import describe
from gateway.local.advice import advise
from gateway.local.board import LocalStatus
from gateway.local.html import render
from tests.gateway.local.test_page import newest


def with_status(*, is_up: bool = True, trouble: str = "", **changes: Any) -> LocalStatus:
    found = msgspec.structs.replace(newest(is_up=is_up), trouble=trouble)
    quiet = msgspec.structs.replace(found.status, quarantined_batches=0)
    return msgspec.structs.replace(found, status=msgspec.structs.replace(quiet, **changes))


def english(found: LocalStatus) -> str:
    return " ".join(text for _, text in advise(found))


def test_where_all_is_well_or_not_known_nothing_is_said() -> None:
    assert advise(with_status()) == []
    assert advise(with_status(headroom_s=1e6, card_life_days=5000.0, drain_s=0.0)) == []


def test_each_trouble_has_its_words_and_what_to_do() -> None:
    assert "in memory only" in english(with_status(is_volatile=True))
    assert "read-only" in english(with_status(trouble="disk full"))
    assert "room for 5.0 h" in english(with_status(headroom_s=5 * 3600.0))
    assert "support" in english(with_status(quarantined_batches=1))
    assert "NTP" in english(with_status(clock=Clock(ClockState.UNSYNCED)))
    assert "1.0 años / years at 9.0 GB" in english(with_status(card_life_days=365.25, flash_bytes_per_day=9e9))


def test_a_backlog_that_does_not_get_less_is_told_while_the_uplink_is_up() -> None:
    stuck: dict[str, Any] = {"oldest_unacknowledged_s": 3600.0, "replay_records_per_s": 20.0, "drain_s": None}
    assert "does not get less" in english(with_status(**stuck))
    assert english(with_status(is_up=False, **stuck)) == "", "an uplink that is down has its own line"
    assert english(with_status(**{**stuck, "drain_s": 900.0})) == ""


def test_page_and_command_say_the_same_spanish_first() -> None:
    found = with_status(
        headroom_s=5 * 3600.0, replay_records_per_s=12.5, drain_s=300.0, flash_bytes_per_day=2.5e9,
        card_life_days=3000.0,
        classes=[
            ClassStatus(
                record_class="track", buffered_records=4, buffered_bytes=4_000_000, oldest_age_s=7200.0,
                bytes_per_s=7500.0, capacity_bytes=10**9, headroom_s=132_800.0,
            )
        ],
    )  # fmt: skip
    lines = describe(found)
    page = render(found, 6 * 10**9, 6 * 10**9).decode()
    assert "  trazas / tracks: 4, 4.0 MB, 2.0 h, 7.5 kB/s, tope / bound 1.0 GB: 36.9 h" in lines
    assert "Sin enlace cabe / room without uplink: 5.0 h" in lines
    assert "Envío / replay: 12.5/s, vaciado / drained in 5 min" in lines
    assert "Tarjeta / card: 2.5 GB al día / a day" in lines
    for text in (
        "trazas / tracks: 4 · 4.0 MB · 2.0 h",
        "room without uplink: 5.0 h",
        "2.5 GB al día",
        "8.2 años / years",
    ):
        assert text in page
    for spanish, in_english in advise(found):
        assert spanish in page
        assert page.index(spanish) < page.index(in_english)
        assert f"  → {spanish}" in lines
