"""Which servers a broker is: one that stands alone, or the core and the front of a cluster's node.

A broker's folder: ``server`` and, in a cluster, ``node`` (certificates), ``store`` (JetStream's), logs, pid files,
configuration files.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from contracts.errors import ConfigError
from fleet_deploy.broker.cluster import Cluster
from fleet_deploy.broker.configuration import BrokerConfiguration
from fleet_deploy.broker.identity import ensure_node_certificate, ensure_server_certificate
from fleet_deploy.broker.permissions import pins_of, users_of
from fleet_deploy.broker.render_node import NodeLinks, render_core, render_front
from fleet_deploy.broker.settings import BrokerSettings
from fleet_deploy.ca.service import CERTIFICATE, PRIVATE_KEY, TRUST
from fleet_deploy.processes.ports import free_ports

CONFIGURATION = "nats.conf"
CORE_CONFIGURATION, FRONT_CONFIGURATION = "core.conf", "front.conf"


@dataclass(frozen=True)
class BrokerOptions:
    """What a broker was asked to be; a port of 0 means any free one.

    Attributes:
        authority: folder of the authority whose clients may come in.
        folder: of everything it writes.
        host: address that it listens on.
        mqtt_port: for gateways.
        client_port: for the cloud.
        monitor_port: of a broker that stands alone, or of a core.
        names: DNS names of its server certificate, if one is made.
        cluster: of a node; None for a broker that stands alone.
        front_monitor_port: of a front.
    """

    authority: Path
    folder: Path
    host: str
    mqtt_port: int
    client_port: int
    monitor_port: int
    names: list[str]
    cluster: Cluster | None = None
    front_monitor_port: int = 0


@dataclass(frozen=True)
class Server:
    """One nats-server and its file."""

    settings: BrokerSettings
    configuration: BrokerConfiguration


def servers_of(options: BrokerOptions, into: Path, now: datetime) -> list[Server]:
    """Return the servers, with certificates and free ports where there were none.

    Args:
        options: what is asked for.
        into: where the configuration goes: a file, or a node's folder.
        now: UTC.

    Raises:
        ConfigError: no authority, or a certificate that cannot be used.
        IntegrityError: the authority is damaged.
        LinkError: no free port.
    """
    folder = options.folder.resolve()
    ensure_server_certificate(options.authority, folder / "server", options.names, now)
    alone = settings_for(options)
    cluster = options.cluster
    if cluster is None:
        return [Server(alone, BrokerConfiguration(options.authority, alone, into))]
    ensure_node_certificate(options.authority, folder / "node", cluster.me, now)
    node = folder / "node"
    links = NodeLinks(cluster, node / CERTIFICATE, node / PRIVATE_KEY, node / TRUST)
    further = (links.certificate, links.private_key, links.trust)
    core = _named(alone, folder, "core", cluster.me.name, alone.monitor_port)
    monitor_port = options.front_monitor_port or free_ports(1, options.host)[0]
    front = _named(alone, folder, "front", f"{cluster.me.name}-front", monitor_port)
    core_configuration = BrokerConfiguration(
        options.authority, core, into / CORE_CONFIGURATION,
        lambda settings, registry: render_core(settings, links, users_of(registry), pins_of(registry)), further,
        pins_of,
    )  # fmt: skip
    front_configuration = BrokerConfiguration(
        options.authority, front, into / FRONT_CONFIGURATION,
        lambda settings, registry: render_front(settings, links, users_of(registry)), further,
    )  # fmt: skip
    return [Server(core, core_configuration), Server(front, front_configuration)]


def settings_for(options: BrokerOptions) -> BrokerSettings:
    """Return the settings of a broker that stands alone, with free ports where none was asked for.

    Raises:
        LinkError: no free port.
    """
    wanted = [options.mqtt_port, options.client_port, options.monitor_port]
    free = iter(free_ports(wanted.count(0), options.host))
    mqtt_port, client_port, monitor_port = [port or next(free) for port in wanted]
    folder = options.folder.resolve()
    server = folder / "server"
    return BrokerSettings(
        host=options.host,
        mqtt_port=mqtt_port,
        client_port=client_port,
        monitor_port=monitor_port,
        certificate=server / CERTIFICATE,
        private_key=server / PRIVATE_KEY,
        trust=server / TRUST,
        data_dir=folder / "store",
        log_file=folder / "nats-server.log",
        pid_file=folder / "nats-server.pid",
    )


def _named(alone: BrokerSettings, folder: Path, role: str, server_name: str, monitor_port: int) -> BrokerSettings:
    changes = {"server_name": server_name, "monitor_port": monitor_port}
    files = {"log_file": folder / f"{role}.log", "pid_file": folder / f"{role}.pid"}
    return BrokerSettings.model_validate(alone.model_dump() | changes | files)


def check_ports(options: BrokerOptions) -> None:
    """Refuse a cluster whose node takes one port twice.

    Raises:
        ConfigError: it does (reason ``bad_cluster``).
    """
    if options.cluster is None:
        return
    me = options.cluster.me
    ports = [options.mqtt_port, options.client_port, options.monitor_port, options.front_monitor_port]
    ports = [port for port in [*ports, me.route_port, me.leaf_port] if port]
    if len(set(ports)) < len(ports):
        cause = f"one of the ports {', '.join(map(str, ports))} stands twice"
        raise ConfigError("serve node", me.name, cause, "give each listener its own", "bad_cluster")
