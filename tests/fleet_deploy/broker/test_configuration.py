from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.errors import ConfigError, IntegrityError
from fleet_deploy.broker.cluster import Member, parse_cluster
from fleet_deploy.broker.configuration import BrokerConfiguration, Change
from fleet_deploy.broker.identity import ensure_node_certificate, ensure_server_certificate
from fleet_deploy.broker.servers import BrokerOptions, servers_of, settings_for
from fleet_deploy.ca.certificates import LEAF_LIFE
from fleet_deploy.ca.requests import plan_gateway, plan_node
from fleet_deploy.ca.service import init_authority, issue, revoke

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    init_authority(tmp_path / "ca", NOW)
    ensure_server_certificate(tmp_path / "ca", tmp_path / "run" / "server", ["broker"], NOW)
    return tmp_path / "ca"


@pytest.fixture
def configuration(authority: Path, tmp_path: Path) -> BrokerConfiguration:
    options = BrokerOptions(authority, tmp_path / "run", "127.0.0.1", 8883, 4222, 8222, ["broker"])
    return BrokerConfiguration(authority, settings_for(options), tmp_path / "run" / "nats.conf")


def test_a_reload_is_due_when_a_user_comes_or_goes_and_only_then(
    configuration: BrokerConfiguration, authority: Path, tmp_path: Path
) -> None:
    assert configuration.refresh() is not Change.NONE
    assert configuration.refresh() is Change.NONE
    entry = issue(authority, plan_gateway("puerto", "gw"), tmp_path / "gw", NOW).entry
    assert configuration.refresh() is not Change.NONE
    assert entry.names[0] in configuration.path.read_text()
    revoke(authority, entry.serial, NOW)
    assert configuration.refresh() is not Change.NONE
    assert entry.names[0] not in configuration.path.read_text()
    assert configuration.users == 0


def test_a_renewed_server_certificate_is_a_reload(
    configuration: BrokerConfiguration, authority: Path, tmp_path: Path
) -> None:
    configuration.refresh()
    mark = configuration.mark()
    for name in ("certificate.pem", "private_key.pem", "trust.pem"):
        (tmp_path / "run" / "server" / name).unlink()
    ensure_server_certificate(authority, tmp_path / "run" / "server", ["broker"], NOW)
    assert configuration.mark() != mark
    assert configuration.refresh() is not Change.NONE


def test_a_damaged_register_keeps_the_file_that_was(configuration: BrokerConfiguration, authority: Path) -> None:
    configuration.refresh()
    before = configuration.path.read_bytes()
    (authority / "registry.json").write_bytes(b"{")
    with pytest.raises(IntegrityError):
        configuration.refresh()
    assert configuration.path.read_bytes() == before


def test_the_configuration_is_for_its_owner_only(configuration: BrokerConfiguration) -> None:
    configuration.refresh()
    assert configuration.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("authority")
def test_a_server_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    init_authority(tmp_path / "other", NOW)
    with pytest.raises(ConfigError, match="another authority"):
        ensure_server_certificate(tmp_path / "other", tmp_path / "run" / "server", ["broker"], NOW)


def test_a_server_certificate_about_to_expire_is_refused(authority: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="good only until 2027-11-24"):
        ensure_server_certificate(authority, tmp_path / "run" / "server", ["broker"], NOW + LEAF_LIFE)


def test_a_good_server_certificate_is_kept(authority: Path, tmp_path: Path) -> None:
    before = (tmp_path / "run" / "server" / "certificate.pem").read_bytes()
    ensure_server_certificate(authority, tmp_path / "run" / "server", ["broker"], NOW)
    assert (tmp_path / "run" / "server" / "certificate.pem").read_bytes() == before


def test_a_node_that_comes_or_goes_is_a_restart_of_a_core_and_a_gateway_a_reload(
    authority: Path, tmp_path: Path
) -> None:
    """nats-server refuses a reload of what lets fronts in, and with it of the users: the revoked would stay."""
    options = BrokerOptions(
        authority, tmp_path / "run", "127.0.0.1", 8883, 4222, 8222, ["broker"], parse_cluster("a,b", "a"), 8223
    )  # fmt: skip
    core, front = [server.configuration for server in servers_of(options, tmp_path / "run", NOW)]
    assert core.refresh() is not Change.NONE
    assert front.refresh() is not Change.NONE
    node = issue(authority, plan_node("b", "b"), tmp_path / "b", NOW).entry
    assert core.refresh() is Change.RESTART
    assert front.refresh() is Change.NONE
    issue(authority, plan_gateway("puerto", "gw"), tmp_path / "gw", NOW)
    assert core.refresh() is Change.RELOAD
    assert front.refresh() is Change.RELOAD
    revoke(authority, node.serial, NOW)
    assert core.refresh() is Change.RESTART
    assert str(node.key_digest) not in core.path.read_text()


def test_a_node_certificate_for_another_host_is_refused_by_name(authority: Path, tmp_path: Path) -> None:
    ensure_node_certificate(authority, tmp_path / "node", Member("a", "192.0.2.1"), NOW)
    ensure_node_certificate(authority, tmp_path / "node", Member("a", "192.0.2.1"), NOW)
    with pytest.raises(ConfigError, match=r"for 192\.0\.2\.1, and the cluster's list has 192\.0\.2\.9"):
        ensure_node_certificate(authority, tmp_path / "node", Member("a", "192.0.2.9"), NOW)
