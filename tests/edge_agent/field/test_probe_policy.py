import json

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.field.probe_policy import RATES, Hearing, Listener, ProbePolicy
from edge_agent.field.probe_report import as_json, as_lines
from firmware_configs.links import SerialLink
from tests.support.nmea_lines import sentence

WIND = sentence("WIMWV,57.5,R,13.0,M,A")
NOISE = bytes(range(128, 256)) * 4


def hear(policy: ProbePolicy, at: dict[int, bytes]) -> None:
    """Listen as the command does, to a line that says ``at[rate]`` every second."""
    while (rate := policy.next_rate()) is not None:
        listener = Listener(rate)
        heard_s = 0.0
        while not policy.is_enough(listener.hearing):
            heard_s += 1.0
            listener.feed(at.get(rate, NOISE), heard_s)
        policy.heard.append(listener.hearing)


def test_every_rate_of_the_profiles_is_tried() -> None:
    assert sorted(RATES) == sorted(rate for rate in range(0, 120_000, 100) if _is_rate(rate))


def _is_rate(rate: int) -> bool:
    try:
        SerialLink.model_validate({"kind": "serial", "device": "x", "baud": rate})
    except ValueError:
        return False
    return True


def test_the_rate_at_which_checksums_hold_is_found_and_the_rest_is_not_tried() -> None:
    policy = ProbePolicy(3.0, 15.0)
    hear(policy, {9600: WIND * 2})
    found = policy.found()
    assert found is not None
    assert (found.baud, found.types) == (9600, {"WIMWV": found.valid})
    assert [hearing.baud for hearing in policy.heard] == [4800, 38400, 9600]


def test_a_slow_instrument_without_proof_is_still_found_by_its_share() -> None:
    policy = ProbePolicy(3.0, 15.0)
    hear(policy, {38400: b""} | {rate: NOISE + b"\n" + NOISE + b"\r\n" for rate in RATES if rate != 38400})
    listener = Listener(38400)
    listener.feed(b"\n" + WIND, 3.0)
    policy.heard.append(listener.hearing)
    found = policy.found()
    assert found is not None
    assert found.baud == 38400


def test_a_silent_line_is_given_up_after_its_time_at_the_first_rate() -> None:
    policy = ProbePolicy(3.0, 15.0)
    hear(policy, dict.fromkeys(RATES, b""))
    assert policy.is_silent
    assert policy.found() is None
    assert [(hearing.baud, hearing.heard_s) for hearing in policy.heard] == [(4800, 15.0)]
    assert "silencio / silence: 0 bytes en / in 15 s" in as_lines("/dev/x", None, policy.heard, is_pty=False)[0]


def test_noise_at_every_rate_is_told_as_such() -> None:
    policy = ProbePolicy(3.0, 15.0)
    hear(policy, {})
    assert policy.found() is None
    assert len(policy.heard) == len(RATES)
    lines = as_lines("/dev/x", None, policy.heard, is_pty=False)
    assert "ninguna frase válida / bytes arrive, but no valid sentence" in lines[0]
    answer = json.loads(as_json("/dev/x", None, policy.heard, is_pty=False))
    assert (answer["baud"], answer["is_silent"], len(answer["tried"])) == (None, False, len(RATES))


def test_the_report_says_what_arrives_how_fast_and_with_which_errors() -> None:
    listener = Listener(4800)
    listener.feed(b"13.0,M,A*00\r\n" + WIND * 10 + WIND.replace(b"57", b"58"), 5.0)
    listener.feed(sentence("SDDPT,5.2,0.0") * 5, 10.0)
    lines = as_lines("/dev/ttyUSB0", listener.hearing, [listener.hearing], is_pty=False)
    assert lines[0] == "/dev/ttyUSB0: 4800 Bd"
    assert "15 frases válidas / valid sentences" in lines[1]
    assert [line.split() for line in lines[2:4]] == [["WIMWV", "10", "1.00/s"], ["SDDPT", "5", "0.50/s"]]
    assert lines[4].startswith("  error checksum: 1 (checksum does not match): '$WIMWV,58.5")
    answer = json.loads(as_json("/dev/ttyUSB0", listener.hearing, [listener.hearing], is_pty=False))
    assert answer["sentences"][0] == {"address": "WIMWV", "count": 10, "per_s": 1.0}
    assert answer["errors"] == {"checksum": 1}


def test_types_have_a_cap() -> None:
    listener = Listener(4800)
    lines = [sentence(f"XX{chr(65 + n // 26)}{chr(65 + n % 26)}A,1") for n in range(200)]
    listener.feed(b"\n" + b"".join(lines), 1.0)
    assert len(listener.hearing.types) == 65
    assert listener.hearing.types["other"] == 200 - 64


@given(st.lists(st.binary(max_size=80), max_size=30))
def test_any_bytes_are_heard_without_an_error(chunks: list[bytes]) -> None:
    listener = Listener(4800)
    for number, chunk in enumerate(chunks):
        listener.feed(chunk, float(number))
    hearing: Hearing = listener.hearing
    assert hearing.size_bytes == sum(map(len, chunks))
    assert 0 <= hearing.score <= 1
