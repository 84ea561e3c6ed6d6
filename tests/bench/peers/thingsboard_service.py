"""ThingsBoard's gateway, whole and unchanged, with one connector of ours that reads lines from TCP.

Run by the peer's Python: ``python thingsboard_service.py FOLDER/tb_gateway.json``. What lies between the connector's
``send_to_storage`` and the broker is its own: storage, the loop that sends and deletes, its MQTT client.
"""

import socket
import sys
import threading
import time
from typing import Any

from thingsboard_gateway.connectors.connector import Connector
from thingsboard_gateway.gateway.entities.converted_data import ConvertedData
from thingsboard_gateway.gateway.entities.telemetry_entry import TelemetryEntry
from thingsboard_gateway.gateway.tb_gateway_service import TBGatewayService
from thingsboard_gateway.tb_utility.tb_loader import TBModuleLoader

RETRY_S = 0.5


class LineConnector(Connector):  # type: ignore[misc] # the peer is not installed here
    """One telemetry entry a line, with the line's number and the line itself, each at a millisecond of its own.

    Two entries of one millisecond would be merged into one by its MQTT client (``_split_message``), and one be lost
    for another reason than the one that is measured.
    """

    def __init__(self, gateway: Any, config: dict[str, Any], connector_type: str) -> None:
        self._gateway = gateway
        self._config = next(iter(config.values())) if "port" not in config else config
        self._type = connector_type
        self._stop = threading.Event()
        self._began_ms = int(time.time() * 1000)
        self.name = str(self._config.get("name", "lines"))

    def open(self) -> None:
        threading.Thread(target=self._run, name="lines", daemon=True).start()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            try:
                with (
                    socket.create_connection(("127.0.0.1", self._config["port"])) as link,
                    link.makefile("rb") as lines,
                ):
                    for line in lines:
                        self._keep(number, line.decode("ascii").strip())
                        number += 1
            except OSError:
                pass
            time.sleep(RETRY_S)

    def _keep(self, number: int, line: str) -> None:
        data = ConvertedData("ais", "receiver")
        data.add_to_telemetry(TelemetryEntry({"number": number, "raw": line}, self._began_ms + number))
        self._gateway.send_to_storage(self.name, self.get_id(), data)

    def close(self) -> None:
        self._stop.set()

    def get_id(self) -> str:
        return str(self._config.get("id", "lines"))

    def get_name(self) -> str:
        return self.name

    def get_type(self) -> str:
        return self._type

    def get_config(self) -> dict[str, Any]:
        return self._config

    def is_connected(self) -> bool:
        return True

    def is_stopped(self) -> bool:
        return self._stop.is_set()

    def on_attributes_update(self, content: object) -> None:
        pass

    def server_side_rpc_handler(self, content: object) -> None:
        pass


def main() -> None:
    TBModuleLoader.LOADED_CONNECTORS["linesLineConnector"] = LineConnector
    TBGatewayService(sys.argv[1])


if __name__ == "__main__":
    main()
