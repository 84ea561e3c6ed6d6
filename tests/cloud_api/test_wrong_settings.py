"""Wrong settings do not start: each names its key, and what would be allowed where that is a closed set."""

from pathlib import Path

import pytest

from cloud_api.composition.history import check_history
from cloud_api.settings import demand_sqlite_history, load_settings
from contracts.errors import ConfigError

BUS = """
[bus]
servers = ["tls://broker:4222"]
certificate = "c.crt"
private_key = "c.key"
trust = "trust.pem"
"""
SQLITE = '[history]\npath = "history.sqlite"\n'
OPERATIONS = '[operations]\nurl = "sqlite+aiosqlite:///operations.sqlite"\n'
SITE = '[site]\nchart = "chart.geojson"\n'
INFLUX_1 = '[history]\nkind = "influxdb"\nversion = "1"\nurl = "https://influx:8086"\n'
INFLUX_2 = INFLUX_1.replace('"1"', '"2"') + 'org = "port"\ntoken_file = "token"\n'
POSTGRES = '[operations]\nurl = "postgresql+asyncpg://porttrack@db:5432/ops"\n'


def whole(bus: str = BUS, history: str = SQLITE, operations: str = OPERATIONS, site: str = SITE, more: str = "") -> str:
    return bus + history + operations + site + more


WRONG = {
    # sections
    "no bus": (whole(bus=""), "bus: missing"),
    "no history": (whole(history=""), "history: missing"),
    "no operations": (whole(operations=""), "operations: missing"),
    "no site": (whole(site=""), "site: missing"),
    "unknown section": (whole(more="[cache]\n"), "cache: unknown key; allowed: bus, control_room, history"),
    "a section that is a number": ("log = 3\n" + whole(), "log: Input should be a valid dictionary"),
    # addresses
    "port too high": (whole(more="[http]\nport = 65536\n"), "http.port: Input should be less than or equal to 65535"),
    "port of the wrong type": (whole(more='[http]\nport = "http"\n'), "http.port: "),
    "origin without a scheme": (whole(more='[http]\nallowed_origins = ["vts"]\n'), "http.allowed_origins.0: is 'vts'"),
    "probes port negative": (whole(more="[probes]\nport = -1\n"), "probes.port: "),
    "probes unknown": (whole(more="[probes]\npath = '/x'\n"), "probes.path: unknown key; allowed: host, port"),
    # broker
    "bus of a kind nobody knows": (
        whole(bus=BUS + 'kind = "kafka"\n'),
        "bus.kind: is 'kafka'; allowed: 'nats', 'mqtt'",
    ),
    "mqtt at the address of nats": (
        whole(bus=BUS + 'kind = "mqtt"\n'),
        "bus.servers.0: is 'tls://broker:4222'; allowed",
    ),
    "nats in clear text": (whole(bus=BUS.replace("tls://", "nats://")), "bus.servers.0: is 'nats://broker:4222'"),
    "no server": (whole(bus=BUS.replace('"tls://broker:4222"', "")), "bus.servers: List should have at least 1"),
    "server without a port": (whole(bus=BUS.replace(":4222", "")), "bus.servers.0: is 'tls://broker'"),
    "a port that is none": (
        whole(bus=BUS.replace("4222", "99999")),
        "bus.servers.0: Port should be a number from 1 to 65535; is 'tls://broker:99999'",
    ),
    "port 0 of a server": (whole(bus=BUS.replace("4222", "0")), "bus.servers.0: Port should be a number"),
    "two ports": (whole(bus=BUS.replace("4222", "1:4222")), "bus.servers.0: Port should be a number"),
    "influxdb at no port": (whole(history=INFLUX_1.replace("8086", "web")), "history.url: Port should be a number"),
    "password in the address": (
        whole(bus=BUS.replace("broker:", "u:secret@b:")),
        "bus.servers.0: is 'tls://u:***@b:4222'",
    ),
    "no certificate": (whole(bus=BUS.replace("certificate", "cert")), "bus.certificate: missing"),
    "a switch for less": (whole(bus=BUS + "verify = false\n"), "bus.verify: unknown key"),
    "a name that is no id": (whole(bus=BUS + 'name = "Cloud 1"\n'), "bus.name: is 'Cloud 1'"),
    # history
    "history of a kind nobody knows": (
        whole(history='[history]\nkind = "csv"\n'),
        "history.kind: is 'csv'; allowed: 'sqlite'",
    ),
    "sqlite without a path": (whole(history="[history]\nkeep_days = 3\n"), "history.path: missing"),
    "sqlite with a url": (
        whole(history=SQLITE + 'url = "https://x"\n'),
        "history.url: unknown key; allowed: keep_days",
    ),
    "kept for no time": (
        whole(history=SQLITE + "keep_days = 0\n"),
        "history.keep_days: Input should be greater than 0",
    ),
    "kept for NaN": (whole(history=SQLITE + "keep_days = nan\n"), "history.keep_days: "),
    "too small": (whole(history=SQLITE + "max_gib = 0.001\n"), "history.max_gib: "),
    "influxdb without a version": (
        whole(history=INFLUX_1.replace('version = "1"', "")),
        "history.version: missing; allowed: '1', '2'",
    ),
    "influxdb of a version nobody knows": (
        whole(history=INFLUX_1.replace('"1"', '"4"')),
        "history.version: is '4'; allowed: '1', '2'",
    ),
    "influxdb 1 with a token": (
        whole(history=INFLUX_1 + 'token_file = "t"\n'),
        "history.token_file: unknown key; allowed: database",
    ),
    "influxdb 2 without a token": (whole(history=INFLUX_2.replace("token_file", "#")), "history.token_file: missing"),
    "influxdb 2 without an org": (whole(history=INFLUX_2.replace('org = "port"', "")), "history.org: missing"),
    "influxdb 2 with a database": (
        whole(history=INFLUX_2 + 'database = "x"\n'),
        "history.database: unknown key; allowed: bucket",
    ),
    "a token in clear text": (
        whole(history=INFLUX_2.replace("https", "http")),
        "history.url: a secret would travel in clear text",
    ),
    "a user without a password": (
        whole(history=INFLUX_1 + 'username = "u"\n'),
        "history.username and password_file: both or none",
    ),
    "a password in the url": (
        whole(history=INFLUX_1.replace("//", "//u:secret@")),
        "history.url: is 'https://u:***@influx:8086'",
    ),
    "no web address": (whole(history=INFLUX_1.replace("https", "udp")), "history.url: is 'udp://influx:8086'"),
    "no series": (whole(history=INFLUX_1 + "max_series_a_day = 0\n"), "history.max_series_a_day: "),
    # operations
    "another database": (whole(operations='[operations]\nurl = "mysql://x/y"\n'), "operations.url: is 'mysql://x/y'"),
    "a synchronous driver": (whole(operations='[operations]\nurl = "postgresql://x/y"\n'), "operations.url: "),
    "the password of the database in its url": (
        whole(operations=POSTGRES.replace("k@", "k:secret@")),
        "operations.url: holds a password",
    ),
    "sqlite with a password": (
        whole(operations=OPERATIONS + 'password_file = "p"\n'),
        "operations.password_file and trust: only for",
    ),
    "a port in words": (whole(operations=POSTGRES.replace("5432", "pg")), "operations.url: names a port that is none"),
    "a port too high": (whole(operations=POSTGRES.replace("5432", "65536")), "operations.url: names a port that"),
    "one of two servers at no port": (
        whole(operations=POSTGRES.replace("@db:5432/ops", "@/ops?host=a:5432&host=b:99999")),
        "operations.url: names a port that is none",
    ),
    "a socket at no port": (
        whole(operations=POSTGRES.replace("@db:5432/ops", "@/ops?host=/run/postgresql&port=x")),
        "operations.url: names a port that is none",
    ),
    "an empty pool": (whole(operations=POSTGRES + "pool_size = 0\n"), "operations.pool_size: "),
    "statements without a limit": (
        whole(operations=POSTGRES + "statement_timeout_s = 0\n"),
        "operations.statement_timeout_s: ",
    ),
    # the rest
    "chart unknown": (whole(site='[site]\nmap = "x"\n'), "site.map: unknown key; allowed: chart"),
    "a lease of no length": (
        whole(more="[track]\nlease_s = 0.1\n"),
        "track.lease_s: Input should be greater than or equal to 1",
    ),
    "a site that is no id": (whole(more='[track]\nsites = ["Puerto Demo"]\n'), "track.sites.0: is 'Puerto Demo'"),
    "warm from the future": (whole(more="[track]\nwarm_start_s = -1\n"), "track.warm_start_s: "),
    "a level nobody knows": (whole(more='[log]\nlevel = "trace"\n'), "log.level: Input should be 'debug', 'info'"),
    "a format nobody knows": (whole(more='[log]\nformat = "xml"\n'), "log.format: Input should be 'json' or 'text'"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_wrong_settings_do_not_start_and_name_their_key(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert "secret" not in str(caught.value).replace("a secret would", "")


@pytest.mark.parametrize(
    "text",
    [
        whole(),
        whole(bus=BUS.replace("tls://", "mqtts://") + 'kind = "mqtt"\n'),
        whole(history=INFLUX_1),
        whole(history=INFLUX_1.replace("https://influx", "http://127.0.0.1") + 'username = "u"\npassword_file = "p"\n'),
        whole(history=INFLUX_2),
        whole(history=INFLUX_1.replace('"1"', '"3"')),
        whole(history=INFLUX_1.replace('"1"', '"victoria-metrics"')),
        whole(operations=POSTGRES + 'password_file = "p"\ntrust = "t"\n'),
        whole(operations='[operations]\nurl = "postgresql+asyncpg://porttrack@/ops?host=/run/postgresql"\n'),
        whole(operations=POSTGRES.replace("@db:5432/ops", "@/ops?host=a:5432&host=b:5433")),
        whole(operations=POSTGRES.replace("@db:5432/ops", "@/ops?host=/run/postgresql&port=5433")),
    ],
)
def test_every_kind_can_be_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(text)
    load_settings(file)


def test_every_path_is_meant_from_the_file_s_folder(tmp_path: Path) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(
        whole(history=INFLUX_2 + 'trust = "i.pem"\n', operations=POSTGRES + 'password_file = "secrets/p"\n')
    )
    settings = load_settings(file)
    named = {getattr(settings.history, "trust", None), getattr(settings.history, "token_file", None)}
    assert named == {tmp_path / "i.pem", tmp_path / "token"}
    assert settings.operations.password_file == tmp_path / "secrets/p"
    assert settings.operations.url == "postgresql+asyncpg://porttrack@db:5432/ops"


def test_the_environment_reaches_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(whole(history=INFLUX_1))
    monkeypatch.setenv("PORTTRACK__HISTORY__DATABASE", "other")
    monkeypatch.setenv("PORTTRACK__PROBES__PORT", "9101")
    settings = load_settings(file)
    assert (getattr(settings.history, "database", None), settings.probes.port) == ("other", 9101)
    monkeypatch.setenv("PORTTRACK__HISTORY__DATABSE", "typo")
    with pytest.raises(ConfigError, match=r"history\.databse: unknown key"):
        load_settings(file)


def test_a_command_over_the_file_says_so_where_the_history_is_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(whole(history=INFLUX_1))
    with pytest.raises(ConfigError, match=r"history.kind: is 'influxdb'; allowed: 'sqlite'"):
        demand_sqlite_history(load_settings(file), "read history")


def test_a_history_that_answers_no_questions_serves_all_roles_but_the_api(tmp_path: Path) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(whole(history=INFLUX_1.replace('"1"', '"victoria-metrics"')))
    history = load_settings(file).history
    check_history(history, frozenset({"store", "track"}))
    with pytest.raises(ConfigError, match=r"history\.version: is 'victoria-metrics'.*allowed with api: '1', '2', '3'"):
        check_history(history, frozenset({"api"}))


def test_a_file_with_a_secret_that_is_not_there_is_named_by_its_key(tmp_path: Path) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(whole(history=INFLUX_2))
    with pytest.raises(ConfigError, match=r"history\.token_file"):
        check_history(load_settings(file).history, frozenset({"store"}))
