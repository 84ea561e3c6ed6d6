"""Chains as the verifier of `cryptography` sees them: good for their purpose, and for nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from fleet_deploy.ca.certificates import (
    CLOCK_SKEW,
    LEAF_LIFE,
    LeafRequest,
    Pair,
    make_client_issuer,
    make_leaf,
    make_node_root,
    make_root,
    make_server_issuer,
    new_serial,
    serial_text,
)
from fleet_deploy.ca.requests import plan_cloud, plan_gateway, plan_node, plan_server

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def root() -> Pair:
    return make_root(NOW)


@pytest.fixture(scope="module")
def client_issuer(root: Pair) -> Pair:
    return make_client_issuer(root, NOW)


@pytest.fixture(scope="module")
def server_issuer(root: Pair) -> Pair:
    return make_server_issuer(root, NOW)


def verify_client(root: Pair, leaf: Pair, issuer: Pair, at: datetime = NOW) -> verification.VerifiedClient:
    builder = verification.PolicyBuilder().store(verification.Store([root.certificate])).time(at)
    return builder.build_client_verifier().verify(leaf.certificate, [issuer.certificate])


def verify_server(root: Pair, leaf: Pair, issuer: Pair, name: str, at: datetime = NOW) -> None:
    builder = verification.PolicyBuilder().store(verification.Store([root.certificate])).time(at)
    builder.build_server_verifier(x509.DNSName(name)).verify(leaf.certificate, [issuer.certificate])


def gateway_leaf(issuer: Pair) -> Pair:
    serial = new_serial()
    return make_leaf(issuer, plan_gateway("puerto-demo", "gw-1").request(serial_text(serial)), serial, NOW)


def server_leaf(issuer: Pair, names: list[str]) -> Pair:
    serial = new_serial()
    return make_leaf(issuer, plan_server(names).request(serial_text(serial)), serial, NOW)


def test_a_gateways_chain_verifies_and_names_the_gateway(root: Pair, client_issuer: Pair) -> None:
    leaf = gateway_leaf(client_issuer)
    verified = verify_client(root, leaf, client_issuer)
    serial = serial_text(leaf.certificate.serial_number)
    assert verified.subjects == [x509.DNSName(f"{serial}.gw-1.puerto-demo.gateway.porttrack.internal")]
    assert len(serial) == 40
    subject = leaf.certificate.subject
    assert [part.value for part in subject] == ["puerto-demo", "gw-1"]
    assert isinstance(leaf.certificate.public_key(), ec.EllipticCurvePublicKey)


def test_a_clouds_chain_verifies(root: Pair, client_issuer: Pair) -> None:
    serial = new_serial()
    leaf = make_leaf(client_issuer, plan_cloud().request(serial_text(serial)), serial, NOW)
    assert verify_client(root, leaf, client_issuer).subjects == [
        x509.DNSName(f"{serial_text(serial)}.cloud.porttrack.internal")
    ]


def test_a_servers_chain_verifies_for_its_names_only(root: Pair, server_issuer: Pair) -> None:
    leaf = server_leaf(server_issuer, ["broker-1.port.example"])
    verify_server(root, leaf, server_issuer, "broker-1.port.example")
    verify_server(root, leaf, server_issuer, "localhost")
    with pytest.raises(verification.VerificationError):
        verify_server(root, leaf, server_issuer, "broker-2.port.example")


def test_a_server_certificate_is_no_client(root: Pair, server_issuer: Pair) -> None:
    with pytest.raises(verification.VerificationError):
        verify_client(root, server_leaf(server_issuer, ["broker"]), server_issuer)


def test_a_gateway_certificate_is_no_server(root: Pair, client_issuer: Pair) -> None:
    leaf = gateway_leaf(client_issuer)
    name = str(verify_client(root, leaf, client_issuer).subjects[0].value)  # type: ignore[index]  # a leaf with names has subjects
    with pytest.raises(verification.VerificationError):
        verify_server(root, leaf, client_issuer, name)


def test_the_clients_issuer_cannot_make_a_server(root: Pair, client_issuer: Pair) -> None:
    """Whoever steals the key that signs gateways cannot pose as the broker: purpose and names both forbid it."""
    stolen = LeafRequest("broker", "x", ["broker.port.example"], [], ExtendedKeyUsageOID.SERVER_AUTH)
    with pytest.raises(verification.VerificationError):
        verify_server(root, make_leaf(client_issuer, stolen, 7, NOW), client_issuer, "broker.port.example")


def test_the_servers_issuer_cannot_make_a_gateway(root: Pair, server_issuer: Pair, client_issuer: Pair) -> None:
    """Mutation proof within: the same request signed by the clients' issuer verifies."""
    name = "00.gw-1.puerto-demo.gateway.porttrack.internal"
    stolen = LeafRequest("gw-1", "puerto-demo", [name], [], ExtendedKeyUsageOID.CLIENT_AUTH)
    with pytest.raises(verification.VerificationError):
        verify_client(root, make_leaf(server_issuer, stolen, 7, NOW), server_issuer)
    verify_client(root, make_leaf(client_issuer, stolen, 7, NOW), client_issuer)


def test_an_issuer_cannot_make_another_issuer(root: Pair, client_issuer: Pair) -> None:
    below = make_client_issuer(client_issuer, NOW)
    leaf = gateway_leaf(below)
    builder = verification.PolicyBuilder().store(verification.Store([root.certificate])).time(NOW)
    with pytest.raises(verification.VerificationError):
        builder.build_client_verifier().verify(leaf.certificate, [below.certificate, client_issuer.certificate])


def test_a_clock_that_is_an_hour_late_still_accepts_a_new_certificate(root: Pair, client_issuer: Pair) -> None:
    leaf = gateway_leaf(client_issuer)
    verify_client(root, leaf, client_issuer, NOW - CLOCK_SKEW)
    with pytest.raises(verification.VerificationError):
        verify_client(root, leaf, client_issuer, NOW - CLOCK_SKEW - timedelta(seconds=1))


def test_a_certificate_expires_after_a_year(root: Pair, client_issuer: Pair) -> None:
    leaf = gateway_leaf(client_issuer)
    verify_client(root, leaf, client_issuer, NOW + LEAF_LIFE)
    with pytest.raises(verification.VerificationError):
        verify_client(root, leaf, client_issuer, NOW + LEAF_LIFE + timedelta(seconds=1))


def test_a_certificate_never_outlives_its_issuer(client_issuer: Pair) -> None:
    late = client_issuer.certificate.not_valid_after_utc - timedelta(days=10)
    leaf = make_leaf(client_issuer, plan_cloud().request("0" * 40), 7, late)
    assert leaf.certificate.not_valid_after_utc == client_issuer.certificate.not_valid_after_utc


def test_every_subject_says_that_it_is_for_development(root: Pair, client_issuer: Pair, server_issuer: Pair) -> None:
    for pair in (root, client_issuer, server_issuer):
        assert "DEVELOPMENT" in pair.certificate.subject.rfc4514_string()


def test_nodes_are_a_world_of_their_own(root: Pair, client_issuer: Pair) -> None:
    """A node's certificate is good both ways below its root, and below no other; no other's is good below its root."""
    nodes = make_node_root(NOW)
    leaf = make_leaf(nodes, plan_node("a", "a.port.example").request("0" * 40), 7, NOW)
    verify_server(nodes, leaf, nodes, "a.port.example")
    verify_client(nodes, leaf, nodes)
    for other, issuer, certificate in ((root, nodes, leaf), (nodes, client_issuer, gateway_leaf(client_issuer))):
        with pytest.raises(verification.VerificationError):
            verify_client(other, certificate, issuer)


def test_a_nodes_address_stands_as_an_address() -> None:
    leaf = make_leaf(make_node_root(NOW), plan_node("a", "192.0.2.1").request("0" * 40), 7, NOW)
    names = leaf.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    assert names.get_values_for_type(x509.DNSName) == ["a.node.porttrack.internal"]
