"""The proxy cuts, delays, slows, stalls and resets, and loses nothing meanwhile: plain sockets against an echo."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.kafka.broker import free_port
from tests.faults.proxy import STALL_S, Proxy

SOON = 0.3


class Echo:
    """Says back what it hears; `heard`: how many bytes that were."""

    def __init__(self) -> None:
        self.heard = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        one, _ = self._server.accept()
        with one:
            try:
                while data := one.recv(65_536):
                    self.heard += len(data)
                    one.sendall(data)
            except OSError:
                pass

    def end(self) -> None:
        self._thread.join(5)
        self._server.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.end()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    made = Proxy(free_port(), echo.port)
    yield made
    made.end()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy._port), 5) as made:
        made.settimeout(SOON)
        assert answer(made, b"hello") == b"hello"
        yield made


def answer(client: socket.socket, data: bytes) -> bytes:
    """What comes back, as many bytes as were sent."""
    client.sendall(data)
    found = b""
    while len(found) < len(data):
        found += client.recv(65_536)
    return found


def seconds(client: socket.socket, data: bytes) -> float:
    client.settimeout(10)
    began = time.monotonic()
    assert answer(client, data) == data
    return time.monotonic() - began


def test_a_cut_both_ways_passes_nothing_and_healing_passes_what_was_held_back(
    echo: Echo, proxy: Proxy, client: socket.socket
) -> None:
    before = echo.heard
    proxy.cut()
    with pytest.raises(TimeoutError):
        answer(client, b"held")
    assert echo.heard == before
    proxy.heal()
    client.settimeout(5)
    assert client.recv(4) == b"held"


def test_a_cut_one_way_lets_the_broker_hear_and_nobody_hear_the_broker(
    echo: Echo, proxy: Proxy, client: socket.socket
) -> None:
    before = echo.heard
    proxy.cut(up=False)
    with pytest.raises(TimeoutError):
        answer(client, b"held")
    assert echo.heard == before + 4
    proxy.heal()
    client.settimeout(5)
    assert client.recv(4) == b"held"


def test_delay_rate_and_stalls_take_the_time_that_they_say(proxy: Proxy, client: socket.socket) -> None:
    assert seconds(client, b"x") < 0.2
    proxy.delay = 0.2
    assert 0.4 <= seconds(client, b"x") < 1
    proxy.heal()
    proxy.rate = 100_000
    assert seconds(client, b"x" * 50_000) >= 0.5
    proxy.heal()
    proxy.stalls = 1.0
    assert 2 * STALL_S <= seconds(client, b"x") < 2 * STALL_S + 1
    proxy.heal()
    assert seconds(client, b"x") < 0.2


def test_a_reset_is_felt_as_one(proxy: Proxy, client: socket.socket) -> None:
    assert proxy.reset() == 1
    client.settimeout(5)
    with pytest.raises(ConnectionResetError):
        client.recv(1)
