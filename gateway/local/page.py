"""HTTP on the loopback interface: ``/``, ``/status.json``, ``/metrics``, ``/healthz``; one request at a time.

One thread, for a technician and one Prometheus; a second request waits, a slow client is cut off. A port that is
taken is told and lived with: the gateway's work is the quay, not this page.
"""

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer

import msgspec
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from gateway.local.board import Board
from gateway.local.html import CONTENT_SECURITY_POLICY, render
from gateway.local.metrics import GatewayCollector

REQUEST_TIMEOUT_S = 2.0
STOP_TIMEOUT_S = 3.0

log = structlog.get_logger()


class _Server(TCPServer):
    """Not ``HTTPServer``, which asks the name server for the name of its address before it listens."""

    allow_reuse_address = True


class LocalPage:
    """See the module.

    Args:
        host: address to listen on.
        port: port, 0 for a free one.
        board: the newest status.
        collector: the metrics.
    """

    def __init__(self, host: str, port: int, board: Board, collector: GatewayCollector) -> None:
        self._address = (host, port)
        self._board = board
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        self._server: TCPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Listen; False if the address cannot be had."""
        page = self

        class Handler(BaseHTTPRequestHandler):
            timeout = REQUEST_TIMEOUT_S

            def do_GET(self) -> None:
                code, content_type, body = page.answer(self.path)
                self.send_response(code)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the standard library's
                """Say nothing: a scrape every few seconds is not an event."""

        try:
            self._server = _Server(self._address, Handler)
        except OSError as exc:
            hint = "is another gateway running? change local.port"
            log.warning(
                "local_page_unavailable", address=f"{self._address[0]}:{self._address[1]}", cause=str(exc), hint=hint
            )
            return False
        self._thread = threading.Thread(target=self._server.serve_forever, name="local-http", daemon=True)
        self._thread.start()
        return True

    @property
    def port(self) -> int:
        """Port that is listened on, 0 if none."""
        return int(self._server.server_address[1]) if self._server is not None else 0

    def stop(self) -> None:
        """Stop listening."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join(STOP_TIMEOUT_S)
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return (status, content type, body) for a path."""
        name = path.partition("?")[0]
        if name == "/":
            return (
                HTTPStatus.OK,
                "text/html; charset=utf-8",
                render(self._board.newest(), time.time_ns(), time.monotonic_ns()),
            )
        if name == "/healthz":
            return HTTPStatus.OK, "text/plain; charset=utf-8", b"ok\n"
        if name == "/metrics":
            return HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self._registry)
        if name == "/status.json":
            newest = self._board.newest()
            if newest is None:
                return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", b"starting\n"
            return HTTPStatus.OK, "application/json", msgspec.json.encode(newest)
        return HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"not found\n"
