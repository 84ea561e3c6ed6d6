import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.ids import is_id
from fleet_deploy.ca.requests import plan_gateway, plan_server

DNS_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-."


@pytest.mark.parametrize(
    ("site", "gateway"),
    [("Puerto", "gw"), ("puerto", ""), ("puerto", "gw.1"), ("puerto", "-gw"), ("puerto-", "gw"), ("a" * 41, "gw")],
)
def test_ids_that_no_certificate_can_carry_are_refused(site: str, gateway: str) -> None:
    with pytest.raises(ConfigError, match="no certificate can carry it"):
        plan_gateway(site, gateway)


@pytest.mark.parametrize("names", [[], ["a b"], ["-a"], ["a..b"], ["*.port.example"], ["x" * 254], ["n"] * 33])
def test_server_names_that_are_none_are_refused(names: list[str]) -> None:
    with pytest.raises(ConfigError):
        plan_server(names)


@pytest.mark.parametrize("name", ["porttrack.internal", "x.cloud.porttrack.internal", "X.PORTTRACK.internal"])
def test_no_server_is_named_as_a_client(name: str) -> None:
    with pytest.raises(ConfigError, match="names clients only"):
        plan_server([name])


def test_a_long_server_name_is_not_put_where_it_does_not_fit() -> None:
    name = f"{'a' * 60}.{'b' * 60}.example"
    request = plan_server([name]).request("0" * 40)
    assert request.common_name == "server"
    assert request.dns_names == [name, "localhost"]


@given(st.text(max_size=60) | st.text(alphabet=DNS_ALPHABET, max_size=60))
def test_any_text_is_a_legal_gateway_or_one_error(text: str) -> None:
    try:
        plan = plan_gateway("puerto", text)
    except ConfigError:
        return
    assert is_id(text)
    name = plan.request("f" * 40).dns_names[0]
    assert len(name) <= 253
    assert all(0 < len(label) <= 63 for label in name.split("."))


@given(st.text(max_size=300) | st.text(alphabet=DNS_ALPHABET, max_size=80))
def test_any_text_is_a_legal_server_or_one_error(text: str) -> None:
    try:
        plan = plan_server([text])
    except ConfigError:
        return
    assert all(0 < len(label) <= 63 for label in plan.request("0" * 40).dns_names[0].split("."))
