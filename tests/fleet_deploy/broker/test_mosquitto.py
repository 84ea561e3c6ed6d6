"""Mosquitto's configuration and who is let in. What Mosquitto makes of it is in tests/system/fleet_deploy."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.limits import MAX_BATCH_BYTES
from fleet_deploy.__main__ import main
from fleet_deploy.broker import mosquitto_files
from fleet_deploy.broker.mosquitto import MAX_PACKET_BYTES, MosquittoSettings, render_mosquitto
from fleet_deploy.broker.mosquitto_access import access, subject
from fleet_deploy.ca.models import Entry, Kind, Registry
from tests.support.registered import CLOUD, GATEWAY, entry

SETTINGS = MosquittoSettings(
    port=8883,
    certificate=Path("/run/broker/certificate.pem"),
    private_key=Path("/run/broker/private_key.pem"),
    trust=Path("/run/broker/trust.pem"),
    revoked=Path("/run/broker/revoked.pem"),
    access=Path("/run/broker/access.json"),
    plugin=Path("/run/broker/plugin.so"),
)


def rights(*entries: Entry) -> dict[str, list[tuple[str, str]]]:
    """What each user may do, by its name."""
    text, users = access(Registry(is_development=True, certificates=list(entries)))
    content: dict[str, Any] = json.loads(text)
    assert users == len(content["clients"])
    assert [client["roles"] for client in content["clients"]] == [
        [{"rolename": role["rolename"]}] for role in content["roles"]
    ]
    assert all(acl["allow"] for role in content["roles"] for acl in role["acls"])
    return {role["rolename"]: [(acl["acltype"], acl["topic"]) for acl in role["acls"]] for role in content["roles"]}


def test_a_gateway_may_say_its_three_topics_and_hear_its_own_down() -> None:
    base = "porttrack/v1/puerto/gw-1"
    assert rights(GATEWAY) == {
        "CN=gw-1,O=puerto": [
            *(("publishClientSend", f"{base}/up/{name}") for name in ("records", "status", "result")),
            *(("publishClientReceive", f"{base}/down/{name}") for name in ("receipt", "command")),
            *(("subscribePattern", f"{base}/down/{name}") for name in ("receipt", "command")),
        ]
    }


def test_the_cloud_may_hear_every_up_and_share_it_and_say_every_down() -> None:
    (allowed,) = rights(CLOUD).values()
    assert ("publishClientSend", "porttrack/v1/+/+/down/receipt") in allowed
    assert ("subscribePattern", "porttrack/v1/+/+/up/records") in allowed
    assert ("subscribePattern", "$share/+/porttrack/v1/+/+/up/records") in allowed
    assert not [topic for kind, topic in allowed if kind == "publishClientSend" and "/up/" in topic]


def test_nothing_is_allowed_that_is_not_named() -> None:
    text, users = access(Registry(is_development=True))
    assert users == 0
    assert json.loads(text)["defaultACLAccess"] == {
        "publishClientSend": False,
        "publishClientReceive": False,
        "subscribe": False,
        "unsubscribe": True,
    }


def test_servers_nodes_and_the_revoked_are_no_users_and_a_renewed_certificate_is_the_same_one() -> None:
    revoked = entry(Kind.GATEWAY, "old", site="puerto", gateway="gw-9", revoked_at="2026-11-24T03:00:00Z")
    assert rights(entry(Kind.SERVER, "broker"), revoked) == {}
    assert list(rights(GATEWAY, GATEWAY, CLOUD, CLOUD)) == ["CN=gw-1,O=puerto", "CN=cloud,O=PortTrack DEVELOPMENT"]


def test_gateways_of_two_sites_with_one_name_are_two_users() -> None:
    other = entry(Kind.GATEWAY, "h", site="bahia", gateway="gw-1")
    assert subject(other) != subject(GATEWAY)
    assert len(rights(GATEWAY, other)) == 2


def test_a_gateway_that_is_called_cloud_is_not_the_cloud() -> None:
    impostor = entry(Kind.GATEWAY, "i", site="porttrack", gateway="cloud")
    assert subject(impostor) != subject(CLOUD)


def test_every_guarantee_is_in_the_file() -> None:
    lines = render_mosquitto(SETTINGS).splitlines()
    for line in (
        "allow_anonymous false",
        "require_certificate true",
        "use_subject_as_username true",
        "tls_version tlsv1.2",
        "crlfile /run/broker/revoked.pem",
        "plugin_opt_config_file /run/broker/access.json",
        "persistence false",
        "retain_available false",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "max_inflight_messages 128",
        "max_queued_messages 256",
        "max_queued_bytes 16777216",
        "memory_limit 536870912",
        "max_connections 4096",
    ):
        assert line in lines, line
    assert MAX_PACKET_BYTES > MAX_BATCH_BYTES
    assert len([line for line in lines if line.startswith("listener ")]) == 1


def test_the_user_it_becomes_is_named_only_where_it_is_asked_for() -> None:
    assert "user" not in {line.split(" ")[0] for line in render_mosquitto(SETTINGS).splitlines()}
    assert "user broker" in render_mosquitto(SETTINGS.model_copy(update={"run_as": "broker"})).splitlines()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_no_name_breaks_out_of_its_line(name: str) -> None:
    lines_before = len(render_mosquitto(SETTINGS).splitlines())
    settings = SETTINGS.model_copy(update={"trust": Path(f"/run/{name}")})
    if settings.trust == Path(str(settings.trust).strip()) and str(settings.trust).isprintable():
        assert len(render_mosquitto(settings).splitlines()) == lines_before
    else:
        with pytest.raises(ConfigError, match="no such name"):
            render_mosquitto(settings)


@pytest.mark.parametrize("name", ["a b", "root\nallow_anonymous true", "x" * 40])
def test_a_user_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="run_as"):
        MosquittoSettings.model_validate(SETTINGS.model_dump() | {"run_as": name})


def test_the_command_writes_all_of_it_and_says_how_many_users(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin = tmp_path / "plugin.so"
    plugin.touch()
    assert main(["ca", "init", "--dev", "--out", str(tmp_path / "ca")]) == 0
    arguments = ["broker", "render", "--kind", "mosquitto", "--ca", str(tmp_path / "ca"), "--plugin", str(plugin)]
    arguments += ["--out", str(tmp_path / "mosquitto.conf"), "--data", str(tmp_path / "data")]
    assert main(arguments) == 0
    assert "0 users" in capsys.readouterr().out
    assert (tmp_path / "mosquitto.conf").stat().st_mode & 0o777 == 0o600
    names = {path.name for path in (tmp_path / "data").iterdir()}
    assert names == {"server", "access.json", "revoked.pem"}


def test_a_plugin_that_is_nowhere_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosquitto_files, "PLUGIN_FOLDERS", (str(tmp_path),))
    with pytest.raises(ConfigError, match="install mosquitto"):
        mosquitto_files.find_plugin()
