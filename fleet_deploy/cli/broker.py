"""``broker``: nats-server or Mosquitto, configured from the certificates. Exit codes as ``fleet_deploy.__main__``."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import ConfigError
from fleet_deploy.broker.app import serve
from fleet_deploy.broker.cluster import parse_cluster
from fleet_deploy.broker.mosquitto_files import find_plugin, write_mosquitto
from fleet_deploy.broker.servers import BrokerOptions, check_ports, servers_of
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


Cluster = Annotated[
    str,
    typer.Option(
        "--cluster",
        help="Nodos / nodes of a cluster, NAME[=HOST[:ROUTE_PORT[:LEAF_PORT]]],…: the same list on every node.",
    ),
]
Node = Annotated[str, typer.Option("--node", help="Este nodo / which node of --cluster this one is.")]
FrontMonitorPort = Annotated[
    int, typer.Option("--front-monitor-port", help="De un nodo / of a node: monitoring of its front; 0: any free port.")
]


@app.command("render")
def render_config(
    *,
    ca: CaDir,
    out: Annotated[
        Path, typer.Option("--out", help="Fichero / file to write; of a node: folder for core.conf and front.conf.")
    ],
    data: Annotated[Path, typer.Option("--data", help="Carpeta / folder of the broker's certificate, store and log.")],
    kind: Annotated[Kind, typer.Option("--kind", help="Servidor / broker.")] = Kind.NATS,
    mqtt_port: MqttPort = 8883,
    client_port: ClientPort = 4222,
    monitor_port: MonitorPort = 8222,
    host: Host = "127.0.0.1",
    name: Names = ["broker"],  # noqa: B006 - typer wants the default value itself and does not change it
    cluster: Cluster = "",
    node: Node = "",
    front_monitor_port: FrontMonitorPort = 8223,
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
    options = _options(ca, data, host, (mqtt_port, client_port, monitor_port, front_monitor_port), name, cluster, node)
    for server in servers_of(options, out, datetime.now(UTC)):
        server.configuration.refresh()
        typer.echo(f"{server.configuration.path}: {server.configuration.users} users")


@app.command("serve")
def serve_broker(
    *,
    ca: CaDir,
    folder: Annotated[
        Path, typer.Option("--dir", help="Carpeta / folder of everything it writes; broker.json: ports.")
    ],
    mqtt_port: MqttPort = 8883,
    client_port: ClientPort = 4222,
    monitor_port: MonitorPort = 8222,
    host: Host = "127.0.0.1",
    name: Names = ["broker"],  # noqa: B006 - as above
    cluster: Cluster = "",
    node: Node = "",
    front_monitor_port: FrontMonitorPort = 8223,
) -> None:
    """Poner en marcha / run nats-server: reload when certificates change, restart when it dies, stop on SIGTERM."""
    configure_logging()
    ports = (mqtt_port, client_port, monitor_port, front_monitor_port)
    asyncio.run(serve(_options(ca, folder, host, ports, name, cluster, node)))


def _options(
    ca: Path, folder: Path, host: str, ports: tuple[int, int, int, int], names: list[str], cluster: str, node: str
) -> BrokerOptions:
    """Read --cluster and --node, which go together.

    Raises:
        ConfigError: one stands without the other, or they do not fit.
    """
    if bool(cluster) != bool(node):
        cause = "--cluster and --node go together"
        raise ConfigError("read cluster", cluster or node, cause, "--cluster a,b,c --node a", "bad_cluster")
    mqtt_port, client_port, monitor_port, front_monitor_port = ports
    members = parse_cluster(cluster, node) if cluster else None
    options = BrokerOptions(
        ca, folder, host, mqtt_port, client_port, monitor_port, names, members, front_monitor_port
    )  # fmt: skip
    check_ports(options)
    return options
