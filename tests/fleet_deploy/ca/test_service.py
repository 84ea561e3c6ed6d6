"""What stands on disk after init, issue and revoke, and after a crash in the middle of each."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from contracts.errors import ConfigError, IntegrityError
from fleet_deploy import durable_files
from fleet_deploy.ca import registry as registry_module
from fleet_deploy.ca import service
from fleet_deploy.ca.models import Kind
from fleet_deploy.ca.registry import read_registry
from fleet_deploy.ca.requests import plan_cloud, plan_gateway, plan_node, plan_server
from fleet_deploy.ca.service import init_authority, issue, revoke

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    init_authority(tmp_path / "ca", NOW)
    return tmp_path / "ca"


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_private_keys_are_for_their_owner_only(authority: Path, tmp_path: Path) -> None:
    files = issue(authority, plan_gateway("puerto", "gw"), tmp_path / "gw", NOW)
    keys = [files.private_key, *authority.glob("*_key.pem")]
    assert len(keys) == 4
    assert {mode_of(path) for path in keys} == {0o600}
    assert mode_of(authority) == 0o700
    assert mode_of(files.certificate) == 0o644


def test_an_authority_is_never_overwritten(authority: Path) -> None:
    before = {path.name: path.read_bytes() for path in authority.iterdir()}
    with pytest.raises(ConfigError) as caught:
        init_authority(authority, NOW)
    assert caught.value.reason == "exists"
    assert {path.name: path.read_bytes() for path in authority.iterdir()} == before


def test_an_empty_folder_becomes_an_authority(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    init_authority(tmp_path / "ca", NOW)
    assert read_registry(tmp_path / "ca").is_development


def test_three_files_with_the_chain_and_the_root(authority: Path, tmp_path: Path) -> None:
    files = issue(authority, plan_server(["broker"]), tmp_path / "broker", NOW)
    chain = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    assert [
        certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for certificate in chain
    ] == [
        False,
        True,
    ]
    assert files.trust.read_bytes() == (authority / "root.pem").read_bytes()


def test_everything_issued_is_registered(authority: Path, tmp_path: Path) -> None:
    plans = [plan_server(["broker"]), plan_gateway("puerto", "gw"), plan_cloud()]
    issued = [issue(authority, plan, tmp_path / str(index), NOW).entry for index, plan in enumerate(plans)]
    registry = read_registry(authority)
    assert registry.certificates == issued
    assert [entry.kind for entry in issued] == [Kind.SERVER, Kind.GATEWAY, Kind.CLOUD]
    assert (issued[1].site, issued[1].gateway) == ("puerto", "gw")
    assert issued[1].not_before == "2026-11-24T02:00:00Z"
    assert issued[1].not_after == "2027-11-24T03:00:00Z"


def test_a_certificate_is_never_overwritten(authority: Path, tmp_path: Path) -> None:
    issue(authority, plan_cloud(), tmp_path / "cloud", NOW)
    with pytest.raises(ConfigError) as caught:
        issue(authority, plan_cloud(), tmp_path / "cloud", NOW)
    assert caught.value.reason == "exists"
    assert len(read_registry(authority).certificates) == 1


def test_revoking_marks_one_and_keeps_the_first_time(authority: Path, tmp_path: Path) -> None:
    one = issue(authority, plan_cloud(), tmp_path / "1", NOW).entry
    two = issue(authority, plan_cloud(), tmp_path / "2", NOW).entry
    first = revoke(authority, one.serial, NOW)
    again = revoke(authority, f"0x{one.serial.upper()}", NOW.replace(year=2027))
    assert first == again
    assert first.revoked_at == "2026-11-24T03:00:00Z"
    assert read_registry(authority).active() == [two]


def test_revoking_an_unknown_serial_says_where_to_look(authority: Path) -> None:
    with pytest.raises(ConfigError, match="ca list"):
        revoke(authority, "beef", NOW)


def test_a_folder_without_authority_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ca init --dev"):
        issue(tmp_path, plan_cloud(), tmp_path / "out", NOW)


def test_a_damaged_key_is_an_integrity_error(authority: Path, tmp_path: Path) -> None:
    (authority / "client_issuer_key.pem").write_bytes(b"garbage")
    with pytest.raises(IntegrityError):
        issue(authority, plan_cloud(), tmp_path / "out", NOW)


def test_a_key_of_another_certificate_is_an_integrity_error(authority: Path, tmp_path: Path) -> None:
    (authority / "client_issuer_key.pem").write_bytes((authority / "root_key.pem").read_bytes())
    with pytest.raises(IntegrityError, match="differ"):
        issue(authority, plan_cloud(), tmp_path / "out", NOW)


@pytest.mark.parametrize("failing", range(1, 9))
def test_a_crash_while_an_authority_is_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The nth file write fails, as on a full disk; afterwards there is no authority and a new one can be made."""
    fail_nth_write(monkeypatch, failing)
    with pytest.raises(ConfigError):
        init_authority(tmp_path / "ca", NOW)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    init_authority(tmp_path / "ca", NOW)


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_crash_while_issuing_leaves_no_unregistered_certificate(
    authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    out = tmp_path / "out"
    fail_nth_write(monkeypatch, failing)
    with pytest.raises(ConfigError):
        issue(authority, plan_cloud(), out, NOW)
    monkeypatch.undo()
    assert not (out / "certificate.pem").exists()
    registered = len(read_registry(authority).certificates)
    assert registered == (0 if failing == 1 else 1)
    assert not list(out.glob(".*.tmp"))


def test_mutation_registering_last_would_lose_track_of_a_certificate(
    authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the register written after the files, a crash leaves a certificate that nobody knows of."""
    monkeypatch.setattr(service, "write_registry", lambda *_: None)  # the crash came before the late registration
    issue(authority, plan_cloud(), tmp_path / "out", NOW)
    assert (tmp_path / "out" / "certificate.pem").exists()
    assert read_registry(authority).certificates == []


def test_writers_at_the_same_time_lose_nothing(authority: Path, tmp_path: Path) -> None:
    def issue_five(writer: int) -> None:
        for index in range(5):
            issue(authority, plan_cloud(), tmp_path / f"{writer}-{index}", NOW)

    threads = [threading.Thread(target=issue_five, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    serials = {entry.serial for entry in read_registry(authority).certificates}
    assert len(serials) == 20


def fail_nth_write(monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    real = durable_files.replace_file
    calls = 0

    def fail(path: Path, data: bytes, mode: int = durable_files.PUBLIC_MODE) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise OSError(28, "No space left on device")
        real(path, data, mode)

    monkeypatch.setattr(service, "replace_file", fail)
    monkeypatch.setattr(registry_module, "replace_file", fail)


def test_the_first_node_makes_the_nodes_root_and_the_next_keeps_it(authority: Path, tmp_path: Path) -> None:
    assert not (authority / "node_root.pem").exists()
    first = issue(authority, plan_node("a", "a.port.example"), tmp_path / "a", NOW)
    root = (authority / "node_root.pem").read_bytes()
    second = issue(authority, plan_node("b", "192.0.2.2"), tmp_path / "b", NOW)
    assert first.trust.read_bytes() == second.trust.read_bytes() == root == (authority / "node_root.pem").read_bytes()
    assert root != (authority / "trust.pem").read_bytes()
    assert mode_of(authority / "node_root_key.pem") == 0o600
    assert [entry.names for entry in read_registry(authority).certificates] == [
        ["a", "a.port.example"],
        ["b", "192.0.2.2"],
    ]
    assert first.entry.kind is Kind.NODE
    digests = {entry.key_digest for entry in read_registry(authority).certificates}
    assert len(digests) == 2
    assert None not in digests
