"""``broker``: nats-server or Mosquitto, configured from the certificates. Exit codes as ``fleet_deploy.__main__``."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet_deploy.broker.app import ServeOptions, serve, settings_for
from fleet_deploy.broker.configuration import BrokerConfiguration
from fleet_deploy.broker.identity import ensure_server_certificate
from fleet_deploy.broker.mosquitto_files import find_plugin, write_mosquitto
from fleet_deploy.processes.ports import free_ports
from fleet_deploy.telemetry import configure_logging

HELP = "Servidor de mensajes / message broker: nats-server, configured from the certificates."
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=HELP)

CaDir = Annotated[Path, typer.Option("--ca", help="Carpeta de la autoridad / folder of the authority.")]
Host = Annotated[str, typer.Option("--host", help="Dirección / address to listen on.")]
Names = Annotated[
    list[str],
    typer.Option("--name", help="Nombre DNS del certificado / DNS name of the broker's certificate, if one is made."),
]
MqttPort = Annotated[int, typer.Option("--mqtt-port", help="MQTT, TLS mutuo / with mutual TLS; 0: any free port.")]
ClientPort = Annotated[int, typer.Option("--client-port", help="NATS, TLS mutuo / with mutual TLS; 0: any free port.")]
MonitorPort = Annotated[
    int, typer.Option("--monitor-port", help="HTTP, vigilancia / monitoring on loopback; 0: any free port.")
]


class Kind(StrEnum):
    """Brokers that a configuration can be written for."""

    NATS = "nats"
    MOSQUITTO = "mosquitto"


@app.command("render")
def render_config(
    *,
    ca: CaDir,
    out: Annotated[Path, typer.Option("--out", help="Fichero / configuration file to write.")],
    data: Annotated[Path, typer.Option("--data", help="Carpeta / folder of the broker's certificate, store and log.")],
    kind: Annotated[Kind, typer.Option("--kind", help="Servidor / broker.")] = Kind.NATS,
    mqtt_port: MqttPort = 8883,
    client_port: ClientPort = 4222,
    monitor_port: MonitorPort = 8222,
    host: Host = "127.0.0.1",
    name: Names = ["broker"],  # noqa: B006 - typer wants the default value itself and does not change it
    plugin: Annotated[Path | None, typer.Option("--plugin", help="mosquitto_dynamic_security.so")] = None,
    run_as: Annotated[
        str, typer.Option("--run-as", help="Usuario / user that Mosquitto becomes, if not its own.")
    ] = "",
) -> None:
    """Escribir la configuración / write the configuration for a broker that something else runs."""
    if kind is Kind.MOSQUITTO:
        users = write_mosquitto(
            ca, out, data, name, host, mqtt_port or free_ports(1, host)[0], plugin or find_plugin(), run_as
        )
        typer.echo(f"{out}: {users} users")
        return
    settings = settings_for(ServeOptions(ca, data, host, mqtt_port, client_port, monitor_port, name))
    ensure_server_certificate(ca, data / "server", name, datetime.now(UTC))
    configuration = BrokerConfiguration(ca, settings, out)
    configuration.refresh()
    typer.echo(f"{out}: {configuration.users} users")


@app.command("serve")
def serve_broker(
    ca: CaDir,
    folder: Annotated[
        Path, typer.Option("--dir", help="Carpeta / folder of everything it writes; broker.json: ports.")
    ],
    mqtt_port: MqttPort = 8883,
    client_port: ClientPort = 4222,
    monitor_port: MonitorPort = 8222,
    host: Host = "127.0.0.1",
    name: Names = ["broker"],  # noqa: B006 - as above
) -> None:
    """Poner en marcha / run nats-server: reload when certificates change, restart when it dies, stop on SIGTERM."""
    configure_logging()
    asyncio.run(serve(ServeOptions(ca, folder, host, mqtt_port, client_port, monitor_port, name)))
