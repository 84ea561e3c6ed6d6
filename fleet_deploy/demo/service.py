"""Brings the demonstration port up in the order of its dependencies, keeps it up, and takes it down. A shell."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from contracts.errors import LinkError
from fleet_deploy.broker.ports import Monitor
from fleet_deploy.demo.cloud_file import CloudPlan, cloud_toml
from fleet_deploy.demo.devices import Devices
from fleet_deploy.demo.identities import CLOUD as CLOUD_IDENTITY
from fleet_deploy.demo.identities import ensure_identities
from fleet_deploy.demo.layout import GATEWAYS, Layout
from fleet_deploy.demo.parts import Ports, broker_part, cloud_part, gateway_part, hardware_part
from fleet_deploy.demo.ports import Cloud
from fleet_deploy.demo.progress import Board
from fleet_deploy.durable_files import SECRET_MODE, replace_file
from fleet_deploy.processes.capped_log import last_lines
from fleet_deploy.processes.supervisor import Supervisor

CHECK_INTERVAL_S = 0.2
PART_TIMEOUT_S = 60.0
"""For one part to get ready: a Pi starts the cloud in 12 s, and a first start compiles every module."""
GATEWAYS_TIMEOUT_S = 20.0
"""For the gateways to report once vessels arrive; after that the port is shown without the late ones."""
FOLLOW_INTERVAL_S = 0.5
CONFIG_EXIT = 2


class Demonstration:
    """One demonstration.

    Args:
        layout: its files.
        ports: its TCP ports.
        seed: of the simulated hardware.
        supervisor: runs the parts.
        monitor: of the broker.
        cloud: its API.
        board: shows a person how far it is.
    """

    def __init__(
        self,
        layout: Layout,
        ports: Ports,
        seed: int,
        supervisor: Supervisor,
        monitor: Monitor,
        cloud: Cloud,
        board: Board,
    ) -> None:
        self._layout = layout
        self._ports = ports
        self._seed = seed
        self._supervisor = supervisor
        self._monitor = monitor
        self._cloud = cloud
        self._board = board
        self._devices = Devices(layout, ports)

    async def run(self) -> None:
        """Start everything, print the address, then follow the simulated hardware for ever.

        Raises:
            ConfigError: files cannot be written, or a profile is not one.
            IntegrityError: the authority is damaged.
            LinkError: a part did not get ready in time, or refuses its configuration.
        """
        self._prepare()
        self._supervisor.start(hardware_part(self._layout, self._seed))
        self._supervisor.start(broker_part(self._layout, self._ports))
        self._board.begin("hardware", "barcos, grúas y sensores simulados / simulated ships, cranes and sensors")
        await self._until("broker", "arrancando / starting", self._is_broker_well)
        self._supervisor.start(cloud_part(self._layout))
        await self._until("hardware", "abriendo puertos / opening its ports", self._are_links_known)
        for gateway in GATEWAYS:
            self._supervisor.start(gateway_part(self._layout, gateway))
        await self._until("cloud", "arrancando / starting", self._cloud.is_ready)
        await self._until("vessels", "primeras posiciones / first positions from the gateways", self._do_vessels_arrive)
        await self._wait_for_gateways()
        self._board.close()
        sys.stdout.write(f"PortTrack: http://127.0.0.1:{self._ports.http}/\n")
        sys.stdout.flush()
        await self._follow_hardware()

    def _prepare(self) -> None:
        self._board.begin("certificates", "comprobando / checking")
        ensure_identities(self._layout, datetime.now(UTC))
        has_room = (self._layout.control_room / "index.html").is_file()
        plan = CloudPlan(
            http_port=self._ports.http,
            bus_port=self._ports.client,
            identity=self._layout.identity(CLOUD_IDENTITY),
            folder=self._layout.cloud,
            history=self._layout.history,
            chart=self._layout.chart,
            control_room=self._layout.control_room if has_room else None,
        )
        replace_file(self._layout.cloud_config, cloud_toml(plan).encode(), SECRET_MODE)
        self._board.done(
            "certificates", "uno por equipo, autoridad de desarrollo / one a gateway, development authority"
        )
        if not has_room:
            text = "sin construir; la API funciona / not built: `make control-room` builds it; the API works without it"
            self._board.say("control room", text)

    async def _until(self, name: str, text: str, check: Callable[[], Awaitable[bool]]) -> None:
        """Wait until ``check`` holds.

        Raises:
            LinkError: it does not within ``PART_TIMEOUT_S``, or a part refuses its configuration.
        """
        self._board.begin(name, text)
        try:
            async with asyncio.timeout(PART_TIMEOUT_S):
                while not await check():
                    self._refuse_config_errors()
                    await asyncio.sleep(CHECK_INTERVAL_S)
        except TimeoutError as exc:
            cause = f"not ready after {PART_TIMEOUT_S:.0f} s"
            raise LinkError("start demonstration", name, cause, self._where_to_look(name), "not_ready") from exc
        self._board.done(name, "listo / ready")

    def _refuse_config_errors(self) -> None:
        for name, codes in self._supervisor.exits.items():
            if CONFIG_EXIT in codes:
                cause = f"refuses its settings: {' / '.join(last_lines(self._layout.log(name), 3))}"
                raise LinkError("start demonstration", name, cause, self._where_to_look(name), "refused")

    def _where_to_look(self, name: str) -> str:
        path = self._layout.log(name)
        return f"see {path if path.exists() else self._layout.logs}"

    async def _is_broker_well(self) -> bool:
        return (await self._monitor.look()).is_healthy

    async def _are_links_known(self) -> bool:
        return self._devices.refresh() is not None

    async def _do_vessels_arrive(self) -> bool:
        return await self._cloud.fresh_vessels() > 0

    async def _wait_for_gateways(self) -> None:
        self._board.begin("gateways", f"{len(GATEWAYS)} conectando / connecting")
        missing = set(GATEWAYS)
        try:
            async with asyncio.timeout(GATEWAYS_TIMEOUT_S):
                while missing := set(GATEWAYS) - await self._cloud.online_gateways():
                    self._refuse_config_errors()
                    await asyncio.sleep(CHECK_INTERVAL_S)
        except TimeoutError:
            self._board.done(
                "gateways",
                f"sin noticias de / not reporting yet: {', '.join(sorted(missing))}; logs: {self._layout.logs}",
            )
            return
        self._board.done("gateways", f"{len(GATEWAYS)} en línea / online")

    async def _follow_hardware(self) -> None:
        """When the simulated hardware starts again its ports are new: tell the gateways that read them."""
        while True:
            await asyncio.sleep(FOLLOW_INTERVAL_S)
            for gateway in self._devices.refresh() or ():
                self._board.say(gateway, "lee los sensores en sus puertos nuevos / reads the hardware at its new ports")
                self._supervisor.restart(gateway)
