from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError, IntegrityError
from fleet_deploy.ca.models import Entry, Kind, Registry
from fleet_deploy.ca.registry import decode_registry, read_registry, write_registry

ENTRY = Entry(
    serial="0" * 40,
    kind=Kind.GATEWAY,
    names=["0.gw.puerto.gateway.porttrack.internal"],
    site="puerto",
    gateway="gw",
    fingerprint="ab",
    not_before="2026-11-24T02:00:00Z",
    not_after="2027-11-24T03:00:00Z",
    issued_at="2026-11-24T03:00:00Z",
)
VERSION_1 = (
    b'{"version":1,"is_development":true,"certificates":[{"serial":"'
    + b"0" * 40
    + b'","kind":"gateway","names":["0.gw.puerto.gateway.porttrack.internal"],"site":"puerto","gateway":"gw",'
    b'"fingerprint":"ab","not_before":"2026-11-24T02:00:00Z","not_after":"2027-11-24T03:00:00Z",'
    b'"issued_at":"2026-11-24T03:00:00Z"}]}'
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    registry = Registry(is_development=True, certificates=[ENTRY])
    write_registry(tmp_path, registry)
    assert read_registry(tmp_path) == registry


def test_a_file_of_version_1_is_read_for_ever() -> None:
    assert decode_registry(VERSION_1, "stored") == Registry(is_development=True, certificates=[ENTRY])


def test_a_newer_version_is_refused_with_a_hint() -> None:
    newer = msgspec.json.encode({"version": 2, "is_development": True, "certificates": []})
    with pytest.raises(IntegrityError, match="use a newer PortTrack") as caught:
        decode_registry(newer, "stored")
    assert caught.value.reason == "unknown_version"


def test_no_authority_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ca init --dev"):
        read_registry(tmp_path)


@pytest.mark.parametrize("cut", range(0, len(VERSION_1), 17))
def test_a_register_cut_anywhere_is_damaged_and_never_half_read(cut: int) -> None:
    with pytest.raises(IntegrityError):
        decode_registry(VERSION_1[:cut], "cut")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_register_or_one_error(data: bytes) -> None:
    try:
        decode_registry(data, "fuzz")
    except IntegrityError:
        return
