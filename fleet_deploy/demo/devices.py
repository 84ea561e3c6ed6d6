"""The gateways' profiles of a demonstration: written when the simulated hardware is ready, again when it moves."""

import yaml

from contracts.errors import ConfigError
from fleet_deploy.demo.device_files import Place, put_on
from fleet_deploy.demo.endpoints import Link, links_of, read_links
from fleet_deploy.demo.layout import GATEWAYS, Layout
from fleet_deploy.demo.parts import Ports
from fleet_deploy.demo.profiles import places_of, read_mapping
from fleet_deploy.durable_files import replace_file


class Devices:
    """Keeps the profiles in step with the simulated hardware.

    Args:
        layout: where they are.
        ports: ports of broker and gateways.
    """

    def __init__(self, layout: Layout, ports: Ports) -> None:
        self._layout = layout
        self._ports = ports
        self._written: dict[str, bytes] = {}

    def refresh(self) -> list[str] | None:
        """Write what changed; returns the gateways whose profile is new, or None while the hardware is not ready.

        Raises:
            ConfigError: a profile is missing or not one, a source of it is not simulated, or a file cannot be written.
        """
        try:
            links = read_links(self._layout.endpoints.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as exc:
            path = self._layout.endpoints
            raise ConfigError("read simulated hardware", str(path), exc.strerror or str(exc)) from exc
        if links is None:
            return None
        changed = []
        for gateway in GATEWAYS:
            content = self._profile(gateway, links)
            if self._written.get(gateway) != content:
                self._write(gateway, content)
                changed.append(gateway)
        return changed

    def _profile(self, gateway: str, links: dict[str, Link]) -> bytes:
        template = read_mapping(self._layout.template(gateway))
        places = places_of(template, read_mapping(self._layout.hardware(str(template.get("hardware")))))
        found = links_of(places, links)
        if missing := sorted(set(places) - set(found)):
            cause = f"the simulated hardware has no {', '.join(missing)}"
            hint = f"it has: {', '.join(sorted(links))}"
            raise ConfigError("make device profile", gateway, cause, hint, "not_simulated")
        place = Place(
            identity=self._layout.identity(gateway),
            broker_port=self._ports.mqtt,
            data_dir=self._layout.data(gateway),
            local_port=self._ports.local[gateway],
            links=found,
        )
        return yaml.safe_dump(put_on(template, place), sort_keys=False, allow_unicode=True).encode()

    def _write(self, gateway: str, content: bytes) -> None:
        path = self._layout.device(gateway)
        try:
            replace_file(path, content)
        except OSError as exc:
            raise ConfigError("write device profile", str(path), exc.strerror or str(exc)) from exc
        self._written[gateway] = content
