"""The way to a PostgreSQL: nothing less than TLS that checks the server, no password in a URL."""

import ssl
from pathlib import Path

import pytest
import sqlalchemy as sa

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.server import ServerAccess, connect_arguments, hint_for
from contracts.errors import ConfigError
from tests.support.certs import TestAuthority

URL = "postgresql+asyncpg://porttrack@db.port.example/operations"


@pytest.fixture
def access(tmp_path: Path) -> ServerAccess:
    file = tmp_path / "password"
    file.write_text("s3cret\nsecond line\n")
    return ServerAccess(file, TestAuthority(tmp_path / "authority").trust)


def test_the_server_s_authority_and_name_are_checked(access: ServerAccess) -> None:
    context = connect_arguments(sa.make_url(URL), access)["ssl"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


async def test_the_password_is_the_first_line_of_its_file_read_at_each_connection(access: ServerAccess) -> None:
    password = connect_arguments(sa.make_url(URL), access)["password"]
    assert await password() == "s3cret"
    assert access.password_file is not None
    access.password_file.write_text("changed\r\n")
    assert await password() == "changed"


def test_the_port_is_postgresql_s_own_whatever_the_environment_says(
    access: ServerAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    assert connect_arguments(sa.make_url(URL), access)["port"] == 5432
    assert "port" not in connect_arguments(sa.make_url(URL.replace("example", "example:5433")), access)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (URL.replace("porttrack@", "porttrack:pw@"), "holds a password"),
        (f"{URL}?ssl=disable", "holds ssl"),
        (f"{URL}?sslmode=prefer&host=a", "holds sslmode"),
        (f"{URL}?passfile=x&target_session_attrs=any", "holds passfile, target_session_attrs"),
        (URL.replace("porttrack@", ""), "names no user, host or database"),
        ("postgresql+asyncpg://porttrack@/operations", "names no user, host or database"),
        ("postgresql+psycopg2://porttrack@a/operations", "psycopg2"),
        ("mysql+aiomysql://porttrack@a/operations", "mysql"),
        ("no url", "Could not parse"),
    ],
)
def test_a_url_that_says_what_it_must_not_is_refused(access: ServerAccess, url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        OperationsDatabase(url, access)
    assert "pw@" not in str(caught.value)
    assert caught.value.reason == "bad_url"


def test_what_is_missing_is_named(access: ServerAccess, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"operations\.trust"):
        OperationsDatabase(URL, ServerAccess(access.password_file, None))
    with pytest.raises(ConfigError, match=r"operations\.password_file"):
        OperationsDatabase(URL, ServerAccess(None, access.trust))
    with pytest.raises(ConfigError, match="no such file"):
        OperationsDatabase(URL, ServerAccess(tmp_path / "nothing", access.trust))
    (tmp_path / "trust").write_text("no certificate")
    with pytest.raises(ConfigError, match=r"operations\.trust"):
        OperationsDatabase(URL, ServerAccess(access.password_file, tmp_path / "trust"))


def test_a_socket_of_this_machine_needs_neither(tmp_path: Path) -> None:
    url = sa.make_url(f"postgresql+asyncpg://porttrack@/operations?host={tmp_path}")
    arguments = connect_arguments(url, ServerAccess())
    assert arguments["ssl"] is False


def test_a_socket_beside_a_host_needs_tls(access: ServerAccess, tmp_path: Path) -> None:
    url = sa.make_url(f"postgresql+asyncpg://porttrack@/operations?host={tmp_path}&host=db.port.example:5432")
    assert isinstance(connect_arguments(url, access)["ssl"], ssl.SSLContext)
    with pytest.raises(ConfigError, match=r"operations\.password_file"):
        connect_arguments(url, ServerAccess())


class RefusalError(Exception):
    """As asyncpg's own carry it."""

    sqlstate = "28P01"


def test_an_error_says_what_can_be_done() -> None:
    outer = RuntimeError("wrapped")
    outer.__cause__ = RefusalError("password authentication failed")
    assert "password_file" in hint_for(outer)
    assert "operations.trust" in hint_for(ssl.SSLCertVerificationError("self-signed"))
    assert hint_for(OSError("connection refused")) == ""
