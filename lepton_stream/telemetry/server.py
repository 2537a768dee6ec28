"""The metrics server: /metrics, /live, /ready on a port of its own, in threads that no event loop waits for."""

from __future__ import annotations

import io
import json
import logging
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from lepton_stream import clock
from lepton_stream.errors import UsageError
from lepton_stream.telemetry.address import Address
from lepton_stream.telemetry.cost import Prices
from lepton_stream.telemetry.probes import live, ready
from lepton_stream.telemetry.render import text
from lepton_stream.telemetry.tally import Tally

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = 5.0
"""For a whole request, and again for the answer: whoever sends slower, or does not read, is left."""
MOST_AT_ONCE = 16


class MetricsServer:
    """Bound when made, so that a taken port is told before anything else happens; serves from `start` to `close`."""

    def __init__(
        self, address: Address, tally: Tally, pipeline: str, version: str, prices: Prices | None = None
    ) -> None:
        """Raises UsageError where the port was asked for and cannot be had; a default one gives way to a free one."""
        self.tally, self.pipeline, self.version, self.prices = tally, pipeline, version, prices
        self._server = _bound(address, self)
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        host, port = self._server.server_address[:2]
        return f"http://{f'[{host!s}]' if ':' in str(host) else host!s}:{port}/metrics"

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """(status, content type, body) for a path."""
        whole, now = self.tally.whole(), self.tally.clock()
        if path == "/metrics":
            return 200, METRICS_TYPE, text(whole, self.pipeline, self.version, now, self.prices)
        if path in ("/live", "/ready"):
            probe = live(whole, now) if path == "/live" else ready(whole, now)
            return (200 if probe.ok else 503), "application/json", json.dumps(probe.to_dict()).encode() + b"\n"
        return 404, "text/plain; charset=utf-8", b"/metrics, /live, /ready\n"


def _bound(address: Address, owner: MetricsServer) -> _Server:
    try:
        return _Server(address.host, address.port, owner)
    except OSError as error:
        if address.asked:
            raise UsageError(
                f"--metrics {address}: cannot listen there: {error.strerror or error}; name another port, "
                "or say --metrics off"
            ) from None
    return _Server(address.host, 0, owner)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, host: str, port: int, owner: MetricsServer) -> None:
        self.owner = owner
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, as long as there are not too many."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """As inherited; then there is room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave in the middle are everyday; anything else is a defect of ours."""
        error = sys.exception()
        if not isinstance(error, OSError):
            logging.getLogger(__name__).error("a request for metrics could not be answered: %r", error)


class _Hurried(io.RawIOBase):
    """Reads from a socket until a moment: a time limit on each read alone lets a client drip bytes for hours."""

    def __init__(self, connection: socket.socket, until_s: float) -> None:
        self._connection, self._until_s = connection, until_s

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises TimeoutError once it is too late."""
        left = self._until_s - clock.elapsed_s()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "lepton-stream"
    sys_version = ""

    def setup(self) -> None:
        """As inherited, but in haste."""
        super().setup()
        self.rfile = io.BufferedReader(_Hurried(self.connection, clock.elapsed_s() + SECONDS))

    def do_GET(self) -> None:
        """Answer, and close."""
        status, kind, body = self.server.owner.answer(self.path.split("?", 1)[0])
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.connection.settimeout(SECONDS)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  (the inherited name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the inherited name)
        """Scrapes are no news."""
