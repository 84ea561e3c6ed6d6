"""The list of a cluster's nodes, as a person writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from fleet_deploy.broker.cluster import LEAF_PORT, MAX_NODES, ROUTE_PORT, Member, parse_cluster


def test_names_alone_are_hosts_with_the_usual_ports() -> None:
    cluster = parse_cluster("a,b, c", "b")
    assert cluster.me == Member("b", "b", ROUTE_PORT, LEAF_PORT)
    assert [member.name for member in cluster.others] == ["a", "c"]


def test_host_and_ports_may_be_given() -> None:
    cluster = parse_cluster("a=192.0.2.1,b=b.port.example:7000,c=192.0.2.3:7000:7001", "a")
    assert cluster.me == Member("a", "192.0.2.1")
    assert cluster.others == [Member("b", "b.port.example", 7000), Member("c", "192.0.2.3", 7000, 7001)]


@pytest.mark.parametrize(
    "text",
    [
        "a", "", "a,a", "a,b=a", "a=192.0.2.1,b=192.0.2.1", "a,B", "a,b=x y", "a,b=", "a,b:7000", "a,b=h:0",
        "a,b=h:70000", "a,b=h:7000:7000", "a,b=x.porttrack.internal", "a,b=2001:db8::1",
        ",".join(f"n{n}" for n in range(MAX_NODES + 1)), f"a,{'n' * 31}", "a,,b",
    ],
)  # fmt: skip
def test_what_is_no_cluster_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cluster(text, "a")
    assert caught.value.subject


def test_a_node_that_is_not_in_the_list_is_told_who_is() -> None:
    with pytest.raises(ConfigError, match="--node a"):
        parse_cluster("a,b", "z")


@given(st.text(max_size=60))
def test_any_text_is_a_cluster_or_one_error(text: str) -> None:
    try:
        cluster = parse_cluster(text, "a")
    except ConfigError:
        return
    assert cluster.me.name == "a"
