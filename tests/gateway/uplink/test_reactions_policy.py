import re
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from gateway.outbox.models import Lane
from gateway.uplink.reactions_policy import FIRST_FAILURE, REACTIONS, Patience, patience_of, reaction_of

TABLE = Path(__file__).parents[3] / "docs" / "uplink.md"
PACKETS = (PacketTypes.CONNACK, PacketTypes.PUBACK, PacketTypes.SUBACK, PacketTypes.DISCONNECT)


def failures_of_the_standard() -> set[int]:
    """Every failure code that paho knows to come from a server in these packets."""
    found = set()
    for packet in PACKETS:
        for code in range(FIRST_FAILURE, 0x100):
            try:
                found.add(ReasonCode(packet, identifier=code).value)
            except (KeyError, ValueError):
                continue
    return found


def test_every_failure_of_the_standard_has_a_reaction() -> None:
    assert failures_of_the_standard() <= set(REACTIONS)


def test_every_reaction_has_a_word_for_counters_and_a_hint() -> None:
    for reaction in REACTIONS.values():
        assert re.fullmatch(r"[a-z_]+", reaction.reason)
        assert reaction.hint


def test_the_table_in_the_documents_is_the_table_of_the_code() -> None:
    rows = {
        int(code, 16): (reason, patience)
        for code, reason, patience in re.findall(
            r"^\| (0x[0-9A-F]{2}) \|[^|]*\| `(\w+)` \| (\w+) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert rows == {code: (item.reason, item.patience.value) for code, item in REACTIONS.items()}


@pytest.mark.parametrize("code", [0x97, 0x96, 0x93])
def test_a_broker_that_wants_less_slows_the_backlog_and_not_live(code: int) -> None:
    assert reaction_of(code).lanes == {Lane.BACKLOG}
    assert reaction_of(code).pause_s > 0


@pytest.mark.parametrize("code", [0x95, 0x99])
def test_what_is_about_one_batch_stops_no_other(code: int) -> None:
    assert reaction_of(code).is_of_batch


def test_what_a_person_must_mend_is_asked_for_seldom() -> None:
    assert patience_of("not_authorised") is Patience.PERSON
    assert patience_of("own_certificate") is Patience.PERSON
    assert patience_of("server_busy") is Patience.BUSY
    assert patience_of("broker_refused") is Patience.BUSY
    assert patience_of("lost") is Patience.WEATHER


@pytest.mark.parametrize("reason", ["name", "refused", "timeout", "network", "closed_early", "lost"])
def test_a_network_s_failure_is_no_broker_s_no(reason: str) -> None:
    assert patience_of(reason) is Patience.WEATHER


def test_a_code_that_nobody_knows_is_a_plain_refusal() -> None:
    assert reaction_of(0xFE).reason == "broker_refused"
