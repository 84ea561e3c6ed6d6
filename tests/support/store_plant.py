"""A whole cloud of real processes for fault tests: broker, stores, workers, API, each a part that may be killed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleet_deploy.ca.service import IssuedFiles
from tests.support.broker import running_broker
from tests.support.cloud import Authority, gateway_identity
from tests.support.fault_parts import BrokerPart, CloudPart, Part, Supervisor, supervised
from tests.support.processes import ROOT, Process, ending, free_port, wait_until
from tests.support.store_evidence import Held, of_sqlite

SITE = "puerto-demo"
CHART = ROOT / "firmware_configs/sites/puerto-demo/chart.geojson"
START_TIMEOUT_S = 40.0


@dataclass
class Plant:
    """A cloud that runs.

    Attributes:
        name: which.
        authority: issues identities.
        brokers: (host, port) of the MQTT listeners.
        parts: what may be killed.
        held: reads what the stores hold.
        supervisor: starts parts again.
        protocol: version of MQTT that its gateways speak.
    """

    name: str
    authority: Authority
    brokers: list[tuple[str, int]]
    parts: list[Part]
    held: Callable[[], dict[str, Held]]
    supervisor: Supervisor
    protocol: str = "3.1.1"

    def gateways(self, count: int) -> dict[str, IssuedFiles]:
        """Issue the identities of so many gateways."""
        return {name: gateway_identity(self.authority, SITE, name) for name in (f"gw-{n:02}" for n in range(count))}

    def restarts(self) -> dict[str, int]:
        """Return how often the supervisor started each part."""
        return dict(self.supervisor.restarts)


@contextmanager
def embedded_plant(folder: Path, program: str = "cloud_api") -> Iterator[Plant]:
    """Run the embedded profile: a broker, and one process with every role on SQLite.

    Args:
        folder: for all files.
        program: module that takes the cloud's arguments.
    """
    with running_broker(folder) as broker:
        home = folder / "cloud"
        home.mkdir()
        history = '[history]\npath = "history.sqlite"\n[operations]\nurl = "sqlite+aiosqlite:///operations.sqlite"'
        cloud = cloud_part("cloud", home, [broker.url], broker.cloud(), "api,store,track", history, program)
        with ending([cloud.process]):
            cloud.start()
            wait_until(cloud.is_answering, START_TIMEOUT_S, f"the cloud is ready\n{cloud.process.tail()}")
            parts: list[Part] = [BrokerPart(broker), cloud]
            with supervised(parts) as supervisor:
                yield Plant(
                    "embedded", broker, [(broker.host, broker.mqtt_port)], parts,
                    lambda: of_sqlite(home / "history.sqlite"), supervisor,
                )  # fmt: skip


def cloud_part(
    name: str,
    folder: Path,
    servers: list[str],
    identity: IssuedFiles,
    roles: str,
    stores: str,
    program: str = "cloud_api",
    bus: str = "nats",
) -> CloudPart:
    """Write the settings of one cloud process; it is not started.

    Args:
        name: of the process.
        folder: its own.
        servers: of the broker, ``tls://host:port`` for NATS, ``mqtts://host:port`` for MQTT.
        identity: a cloud's certificate.
        roles: as ``--roles`` takes them.
        stores: the sections of history and operations.
        program: module that takes the cloud's arguments.
        bus: its kind.
    """
    port = free_port()
    config = folder / f"{name}.toml"
    quoted = ", ".join(f'"{server}"' for server in servers)
    config.write_text(
        f"[{'http' if 'api' in roles else 'probes'}]\nport = {port}\n[bus]\n"
        f'kind = "{bus}"\nservers = [{quoted}]\ncertificate = "{identity.certificate}"\n'
        f'private_key = "{identity.private_key}"\ntrust = "{identity.trust}"\nname = "{name}"\n'
        f'{stores}\n[site]\nchart = "{CHART}"\n'
    )
    arguments = [program, "serve", "--config", str(config), "--roles", roles]
    process = Process(name, arguments, folder / f"{name}.log")
    return CloudPart(process, f"http://127.0.0.1:{port}/readyz")
