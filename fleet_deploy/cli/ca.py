"""``ca``: the development certificate authority. Exit codes as ``fleet_deploy.__main__``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from contracts.errors import ConfigError
from fleet_deploy.ca import requests, service
from fleet_deploy.ca.models import Entry, Kind
from fleet_deploy.ca.registry import read_registry

HELP = "Autoridad de certificación de desarrollo / development certificate authority."
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=HELP)
issue_app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="Emitir un certificado / issue a certificate."
)
app.add_typer(issue_app, name="issue")

DEFAULT_CA = Path("ca")
CaDir = Annotated[Path, typer.Option("--ca", help="Carpeta de la autoridad / folder of the authority.")]
Out = Annotated[
    Path,
    typer.Option(
        "--out", help="Carpeta de los tres ficheros / folder for certificate.pem, private_key.pem and trust.pem."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Escribir JSON / write JSON for scripts.")]


@app.command()
def init(
    *,
    out: Annotated[Path, typer.Option("--out", help="Carpeta nueva / folder of the new authority.")] = DEFAULT_CA,
    dev: Annotated[
        bool,
        typer.Option(
            "--dev", help="De desarrollo: las claves quedan en este disco / development: keys lie on this disk."
        ),
    ] = False,
) -> None:
    """Crear una autoridad / make an authority: a root, an issuer for clients and one for servers."""
    if not dev:
        cause = "only development authorities are made here: their keys lie on this disk"
        raise ConfigError("make authority", str(out), cause, "add --dev; a port's own PKI issues its real ones")
    service.init_authority(out, _now())
    typer.echo(f"development authority in {out}")


@issue_app.command("server")
def issue_server(
    name: Annotated[
        list[str],
        typer.Option("--name", help="Nombre DNS, repetible / DNS name of the server; may be given several times."),
    ],
    out: Out,
    ca: CaDir = DEFAULT_CA,
) -> None:
    """Certificado de servidor / a server certificate; localhost and 127.0.0.1 are added."""
    _say(service.issue(ca, requests.plan_server(name), out, _now()))


@issue_app.command("gateway")
def issue_gateway(
    site: Annotated[str, typer.Option("--site", help="Puerto / site id.")],
    gateway: Annotated[str, typer.Option("--gateway", help="Equipo / gateway id.")],
    out: Out,
    ca: CaDir = DEFAULT_CA,
) -> None:
    """Certificado de un equipo / a gateway's: it may say its own ``up`` and hear its own ``down``."""
    _say(service.issue(ca, requests.plan_gateway(site, gateway), out, _now()))


@issue_app.command("cloud")
def issue_cloud(out: Out, ca: CaDir = DEFAULT_CA) -> None:
    """Certificado de la nube / the cloud's: it may hear every ``up`` and say every ``down``."""
    _say(service.issue(ca, requests.plan_cloud(), out, _now()))


@issue_app.command("node")
def issue_node(
    name: Annotated[str, typer.Option("--name", help="Nodo / name of the node in its cluster.")],
    host: Annotated[str, typer.Option("--host", help="Nombre DNS o IPv4 / where its neighbours reach it.")],
    out: Out,
    ca: CaDir = DEFAULT_CA,
) -> None:
    """Certificado de un nodo / a node's of a broker cluster: good between brokers and nowhere else."""
    _say(service.issue(ca, requests.plan_node(name, host), out, _now()))


@app.command("list")
def list_certificates(*, ca: CaDir = DEFAULT_CA, as_json: Json = False) -> None:
    """Listar lo emitido / list everything that was issued."""
    entries = read_registry(ca).certificates
    if as_json:
        typer.echo(msgspec.json.encode(entries).decode())
        return
    table = Table(Column("serial", no_wrap=True, min_width=40), "kind", "for", "good until", "revoked")
    for entry in entries:
        table.add_row(entry.serial, entry.kind.value, _subject(entry), entry.not_after, entry.revoked_at or "")
    Console().print(table)


@app.command()
def revoke(serial: str, ca: CaDir = DEFAULT_CA) -> None:
    """Revocar / revoke: a broker that is served from this authority cuts it off within a second."""
    entry = service.revoke(ca, serial, _now())
    typer.echo(f"revoked {entry.serial} ({_subject(entry)}) at {entry.revoked_at}")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _subject(entry: Entry) -> str:
    if entry.site is not None:
        return f"{entry.site}/{entry.gateway}"
    return "cloud" if entry.kind is Kind.CLOUD else ", ".join(entry.names)


def _say(files: service.IssuedFiles) -> None:
    typer.echo(f"{files.entry.kind.value} certificate {files.entry.serial}, good until {files.entry.not_after}")
    for path in (files.certificate, files.private_key, files.trust):
        typer.echo(f"  {path}")
