import ssl
from pathlib import Path

import pytest

from contracts.errors import LinkError
from firmware_configs.device import Identity
from gateway.uplink.tls import make_context
from tests.support.certs import TestAuthority


def identity(folder: Path) -> Identity:
    authority = TestAuthority(folder)
    pair = authority.issue("gw-1")
    return Identity(certificate=pair.certificate, private_key=pair.key, trust=authority.trust)


def test_the_context_always_checks_the_broker(tmp_path: Path) -> None:
    context = make_context(identity(tmp_path), "broker.test")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    files = identity(tmp_path)
    files.private_key.chmod(0o644)
    with pytest.raises(LinkError) as caught:
        make_context(files, "broker.test")
    assert caught.value.reason == "identity"
    assert "chmod" in caught.value.hint


@pytest.mark.parametrize("name", ["certificate", "private_key", "trust"])
@pytest.mark.parametrize("damage", ["missing", "garbage"])
def test_a_missing_or_broken_file_is_a_failure_to_try_again(tmp_path: Path, name: str, damage: str) -> None:
    files = identity(tmp_path)
    path: Path = getattr(files, name)
    if damage == "missing":
        path.unlink()
    else:
        path.write_text("garbage")
    with pytest.raises(LinkError) as caught:
        make_context(files, "broker.test")
    assert caught.value.reason == "identity"


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    files = identity(tmp_path / "a")
    other = identity(tmp_path / "b")
    with pytest.raises(LinkError):
        make_context(files.model_copy(update={"private_key": other.private_key}), "broker.test")
