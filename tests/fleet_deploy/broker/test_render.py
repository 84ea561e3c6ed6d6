"""The configuration file, and who is in it. What nats-server makes of it is in tests/system/fleet_deploy."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.limits import MAX_BATCH_BYTES
from fleet_deploy.broker.permissions import User, users_of
from fleet_deploy.broker.render import MAX_PAYLOAD_BYTES, render
from fleet_deploy.broker.settings import BrokerSettings
from fleet_deploy.ca.models import Kind, Registry
from tests.support.registered import CLOUD, GATEWAY, entry

SETTINGS = BrokerSettings(
    mqtt_port=8883,
    client_port=4222,
    monitor_port=8222,
    certificate=Path("/run/broker/certificate.pem"),
    private_key=Path("/run/broker/private_key.pem"),
    trust=Path("/run/broker/trust.pem"),
    data_dir=Path("/run/broker/store"),
    log_file=Path("/run/broker/nats.log"),
    pid_file=Path("/run/broker/nats.pid"),
)


def test_a_gateway_may_say_its_three_topics_and_hear_its_two() -> None:
    (user,) = users_of(Registry(is_development=True, certificates=[GATEWAY]))
    assert user == User(
        "g.gateway.porttrack.internal",
        "MQTT",
        publish=[f"porttrack.v1.puerto.gw-1.up.{name}" for name in ("records", "status", "result")],
        subscribe=[f"porttrack.v1.puerto.gw-1.down.{name}" for name in ("receipt", "command")],
    )


def test_the_cloud_may_hear_every_up_and_say_every_down() -> None:
    (user,) = users_of(Registry(is_development=True, certificates=[CLOUD]))
    assert user == User(
        "c.cloud.porttrack.internal",
        "STANDARD",
        publish=["porttrack.v1.*.*.down.>"],
        subscribe=["porttrack.v1.*.*.up.>", "_INBOX.>"],
    )


def test_servers_and_the_revoked_are_no_users() -> None:
    revoked = entry(Kind.CLOUD, "old.cloud.porttrack.internal", revoked_at="2026-11-24T03:00:00Z")
    server = entry(Kind.SERVER, "broker")
    assert users_of(Registry(is_development=True, certificates=[server, revoked])) == []


def test_every_listener_asks_for_a_certificate_and_nobody_comes_in_without_a_user() -> None:
    text = render(SETTINGS, [])
    assert text.count("verify_and_map: true") == 2
    assert text.count("tls {") == 2
    assert "no_auth_user" not in text
    assert "authorization {" in text


def test_caps_of_every_buffer_are_in_the_file() -> None:
    text = render(SETTINGS, [])
    for line in (
        f"max_payload: {MAX_PAYLOAD_BYTES}",
        "max_pending: 16777216",
        'write_deadline: "5s"',
        "max_file_store: 67108864",
        "max_memory_store: 1048576",
        "max_connections: 4096",
        "logfile_size_limit: 4194304",
        "max_ack_pending: 128",
    ):
        assert line in text, line
    assert MAX_PAYLOAD_BYTES > MAX_BATCH_BYTES


def test_monitoring_is_on_loopback_even_where_the_listeners_are_not() -> None:
    text = render(SETTINGS.model_copy(update={"host": "192.0.2.1"}), [])
    assert 'http: "127.0.0.1:8222"' in text
    assert text.count('host: "192.0.2.1"') == 2


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_no_name_breaks_out_of_its_quotes(name: str) -> None:
    """Whatever stands in a folder's name or a user's name stays one string of the file."""
    lines_before = len(render(SETTINGS, [User("x", "MQTT", [], [])]).split("\n"))
    text = render(SETTINGS.model_copy(update={"data_dir": Path(f"/run/{name}")}), [User(name, "MQTT", [name], [name])])
    assert len(text.split("\n")) == lines_before


@pytest.mark.parametrize("name", ["", "Broker", "a b", "x" * 41])
def test_a_server_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="server_name"):
        BrokerSettings.model_validate(SETTINGS.model_dump() | {"server_name": name})
