"""The profiles of the repository, put on simulated hardware; identities kept between runs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from firmware_configs.loading import load_device
from fleet_deploy.ca.certificates import LEAF_LIFE
from fleet_deploy.ca.registry import read_registry
from fleet_deploy.ca.service import revoke
from fleet_deploy.demo.devices import Devices
from fleet_deploy.demo.endpoints import links_of, read_links
from fleet_deploy.demo.identities import ensure_identities
from fleet_deploy.demo.layout import GATEWAYS, Layout
from fleet_deploy.demo.parts import Ports

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PORTS = Ports(8080, 18883, 14222, 18222, {gateway: 19401 + index for index, gateway in enumerate(GATEWAYS)})


def tcp(port: int) -> dict[str, Any]:
    return {"kind": "tcp", "host": "127.0.0.1", "port": port}


LINKS = {
    "ais": {"kind": "serial", "device": "/dev/pts/7", "baud": 38400},
    "depth": {"kind": "serial", "device": "/dev/pts/8", "baud": 4800},
    "gnss": {"kind": "serial", "device": "/dev/pts/9", "baud": 38400},
    "wind": tcp(1001),
    "radar": tcp(1003),
    "berth-hooks": tcp(1002),
    "berth-bus": {"kind": "serial", "device": "/dev/pts/10", "baud": 19200, "parity": "N"},
    "berth-text": {"kind": "serial", "device": "/dev/pts/11", "baud": 9600},
} | {f"sts-{number}": tcp(2000 + number) for number in range(1, 5)}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "run")
    made.make_folders()
    return made


def test_no_profile_before_the_hardware_is_ready(layout: Layout) -> None:
    devices = Devices(layout, PORTS)
    assert devices.refresh() is None
    layout.endpoints.write_text('{"ais": {"ki')
    assert devices.refresh() is None


def test_every_gateway_of_the_port_is_put_on_the_simulated_hardware(layout: Layout) -> None:
    """Read back by the device's own loader: what the demonstration writes is a legal profile."""
    layout.endpoints.write_text(json.dumps(LINKS))
    assert Devices(layout, PORTS).refresh() == list(GATEWAYS)
    found = {}
    for gateway in GATEWAYS:
        effective = load_device(layout.device(gateway))
        assert (effective.brokers[0].host, effective.brokers[0].port) == ("127.0.0.1", PORTS.mqtt)
        assert effective.local.port == PORTS.local[gateway]
        assert effective.data_dir == layout.data(gateway)
        for source in effective.sources:
            found[gateway, source.source] = source.link
    places = {key: link.port for key, link in found.items() if link.kind == "tcp"}
    assert places == {
        ("gw-approach-1", "wind"): 1001,
        ("gw-approach-1", "radar"): 1003,
        ("gw-crane-1", "crane-1"): 2001,
        ("gw-crane-1", "crane-2"): 2002,
        ("gw-crane-2", "crane-1"): 2003,
        ("gw-crane-2", "crane-2"): 2004,
        ("gw-berth-1", "berth-hooks"): 1002,
    }


def test_only_gateways_whose_hardware_moved_are_written_again(layout: Layout) -> None:
    devices = Devices(layout, PORTS)
    layout.endpoints.write_text(json.dumps(LINKS))
    devices.refresh()
    assert devices.refresh() == []
    layout.endpoints.write_text(json.dumps(LINKS | {"sts-4": tcp(3000)}))
    assert devices.refresh() == ["gw-crane-2"]
    content = yaml.safe_load(layout.device("gw-crane-2").read_text())
    assert content["sources"]["crane-2"]["link"]["port"] == 3000


def test_a_source_that_is_not_simulated_is_named(layout: Layout) -> None:
    layout.endpoints.write_text(json.dumps({name: link for name, link in LINKS.items() if name != "depth"}))
    with pytest.raises(ConfigError, match="has no depth"):
        Devices(layout, PORTS).refresh()


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_endpoints_file_is_links_or_not_ready(content: bytes | str) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    links = read_links(data)
    assert links is None or all("kind" in link for link in links.values())


def test_a_source_goes_by_its_own_name_before_its_place() -> None:
    assert links_of({"ais": "mast", "crane-1": "sts-1", "gone": None}, {"ais": {"kind": 1}, "sts-1": {"kind": 2}}) == {
        "ais": {"kind": 1},
        "crane-1": {"kind": 2},
    }


def test_identities_are_kept_between_runs(layout: Layout) -> None:
    ensure_identities(layout, NOW)
    before = read_registry(layout.authority)
    ensure_identities(layout, NOW + timedelta(days=30))
    assert read_registry(layout.authority) == before
    assert len(before.certificates) == len(GATEWAYS) + 1


def test_expiring_and_revoked_identities_are_replaced(layout: Layout) -> None:
    ensure_identities(layout, NOW)
    revoke(layout.authority, read_registry(layout.authority).certificates[0].serial, NOW)
    ensure_identities(layout, NOW)
    assert len(read_registry(layout.authority).certificates) == len(GATEWAYS) + 2
    ensure_identities(layout, NOW + LEAF_LIFE - timedelta(days=1))
    assert len(read_registry(layout.authority).certificates) == 2 * (len(GATEWAYS) + 1) + 1
