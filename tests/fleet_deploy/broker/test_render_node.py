"""Core and front of a node. What nats-server makes of them is in tests/system/fleet_deploy."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_deploy.broker.cluster import parse_cluster
from fleet_deploy.broker.permissions import User, pins_of, users_of
from fleet_deploy.broker.render_node import NO_KEY, NodeLinks, render_core, render_front
from fleet_deploy.broker.settings import BrokerSettings
from fleet_deploy.ca.models import Entry, Kind, Registry

SETTINGS = BrokerSettings(
    mqtt_port=8883,
    client_port=4222,
    monitor_port=8222,
    certificate=Path("/run/a/server/certificate.pem"),
    private_key=Path("/run/a/server/private_key.pem"),
    trust=Path("/run/a/server/trust.pem"),
    data_dir=Path("/run/a/store"),
    log_file=Path("/run/a/core.log"),
    pid_file=Path("/run/a/core.pid"),
)
NODE = Path("/run/a/node")
CLUSTER = parse_cluster("a,b,c=192.0.2.3:7000:7001", "a")
LINKS = NodeLinks(CLUSTER, NODE / "certificate.pem", NODE / "private_key.pem", NODE / "trust.pem")
USERS = [User("g.gateway.porttrack.internal", "MQTT", ["x"], ["y"])]


def node_entry(digest: str, revoked_at: str | None = None) -> Entry:
    times = dict.fromkeys(("not_before", "not_after", "issued_at"), "2026-11-24T03:00:00Z")
    entry = Entry(serial="1" * 40, kind=Kind.NODE, names=["a", "a"], fingerprint="ab", key_digest=digest, **times)
    return msgspec.structs.replace(entry, revoked_at=revoked_at)


def test_a_core_meets_all_other_cores_and_lets_fronts_hang_on_it() -> None:
    text = render_core(SETTINGS, LINKS, USERS, ["ab"])
    assert 'routes: ["nats://b:6222", "nats://192.0.2.3:7000"]' in text
    assert "port: 6222" in text
    assert "port: 7422" in text
    assert "g.gateway.porttrack.internal" in text


def test_no_core_has_a_store_to_elect_a_leader_for() -> None:
    assert "jetstream" not in render_core(SETTINGS, LINKS, USERS, ["ab"])
    assert "mqtt {" not in render_core(SETTINGS, LINKS, USERS, ["ab"])


def test_a_front_hangs_on_its_own_core_first_and_keeps_its_sessions_to_itself() -> None:
    text = render_front(SETTINGS, LINKS, USERS)
    assert 'urls: ["tls://a:7422", "tls://b:7422", "tls://192.0.2.3:7001"]' in text
    assert "no_randomize: true" in text
    for way in ("deny_exports", "deny_imports"):
        assert f'{way}: ["$MQTT.>", "$JS.>"' in text
    assert f'domain: "{SETTINGS.server_name}"' in text
    assert "cluster {" not in text


def test_nobody_comes_in_by_a_fronts_nats_listener_from_another_machine() -> None:
    text = render_front(SETTINGS.model_copy(update={"host": "192.0.2.1"}), LINKS, USERS)
    assert 'host: "127.0.0.1"\nport: -1\ntls {' in text
    assert text.count('"192.0.2.1"') == 1


def test_brokers_take_only_pinned_keys_of_the_nodes_own_root() -> None:
    text = render_core(SETTINGS, LINKS, USERS, ["ab", "cd"])
    assert text.count('pinned_certs: ["ab", "cd"]') == 2
    assert text.count("verify: true") == 1
    assert text.count(f'ca_file: "{NODE}/trust.pem"') == 2
    assert text.count("verify_and_map: true") == 2
    assert 'users: [{ user: "a.node.porttrack.internal" }, { user: "b.node.porttrack.internal" }, ' in text


def test_without_any_node_left_no_key_is_taken() -> None:
    """Mutation: an empty list of pins means every key to nats-server."""
    text = render_core(SETTINGS, LINKS, USERS, [])
    assert text.count(f'pinned_certs: ["{NO_KEY}"]') == 2


def test_a_node_is_no_user_and_a_revoked_one_is_not_pinned() -> None:
    registry = Registry(is_development=True, certificates=[node_entry("ab"), node_entry("cd", "2026-11-24T04:00:00Z")])
    assert users_of(registry) == []
    assert pins_of(registry) == ["ab"]


@pytest.mark.parametrize("line", ["max_payload: ", 'write_deadline: "5s"', "max_connections: 4096", "max_pending: "])
def test_both_have_the_caps_of_a_broker_that_stands_alone(line: str) -> None:
    assert line in render_core(SETTINGS, LINKS, USERS, ["ab"])
    assert line in render_front(SETTINGS, LINKS, USERS)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_no_name_breaks_out_of_its_quotes(name: str) -> None:
    links = NodeLinks(LINKS.cluster, Path(f"/{name}"), LINKS.private_key, LINKS.trust)
    for text, usual in (
        (render_core(SETTINGS, links, [], ["ab"]), render_core(SETTINGS, LINKS, [], ["ab"])),
        (render_front(SETTINGS, links, []), render_front(SETTINGS, LINKS, [])),
    ):
        assert text.count("\n") == usual.count("\n")
