"""A network that can be cut, slowed or broken: every connection to the broker's PROXIED listener goes through here."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Coroutine, Iterable
from typing import Any, NamedTuple

from tests.faults.background import Background

PIECE = 16_384
STALL_S = 0.3
"""About what Linux waits at least before it sends a lost packet again."""


class Ends(NamedTuple):
    """Of one of the two connections that the proxy stands between."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Proxy:
    """Passes bytes on, as long as the gates are open. Set its fields at any time, from any thread.

    `up`, `down`: whether bytes to and from the broker pass (they wait otherwise, and nobody is told). `delay`: seconds
    that each piece is late, one way. `rate`: bytes a second of each connection and way, 0 for no limit. `stalls`: the
    share of pieces that come later by STALL_S and hold up those behind them, as a lost packet does.
    """

    def __init__(self, port: int, target: int) -> None:
        self.up = self.down = True
        self.delay = 0.0
        self.rate = 0
        self.stalls = 0.0
        self.passed = 0
        self._draw = random.Random(port)
        self._port, self._target = port, target
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._work = Background(self._serve, "proxy")
        assert self._ready.wait(10)

    async def _serve(self, stop: asyncio.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._ready.set()
        await stop.wait()
        server.close()
        self._reset_all()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        pair = {writer, to_writer}
        self._writers |= pair
        ways = self._ways(Ends(reader, writer), Ends(to_reader, to_writer))
        tasks = [asyncio.create_task(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._writers -= pair
        for one in pair:
            one.close()

    def _ways(self, client: Ends, broker: Ends) -> Iterable[Coroutine[Any, Any, None]]:
        """What carries a connection's bytes to the broker, and back."""
        return self._pass(client.reader, broker.writer, up=True), self._pass(broker.reader, client.writer, up=False)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        while data := await reader.read(PIECE):
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.stalls and self._draw.random() < self.stalls:
                await asyncio.sleep(STALL_S)
            if self.rate:
                await asyncio.sleep(len(data) / self.rate)
            while not (self.up if up else self.down):
                await asyncio.sleep(0.02)
            writer.write(data)
            self.passed += len(data)
            await writer.drain()

    def _reset_all(self) -> None:
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def cut(self, *, up: bool = True, down: bool = True) -> None:
        """Bytes wait, in these directions."""
        self.up, self.down = not up, not down

    def heal(self) -> None:
        """All passes again, what has waited too, at once."""
        self.up = self.down = True
        self.delay, self.rate, self.stalls = 0.0, 0, 0.0

    def reset(self) -> int:
        """RST on every connection; how many there were."""
        count = len(self._writers) // 2
        self._loop.call_soon_threadsafe(self._reset_all)
        return count

    def end(self) -> None:
        """No more connections."""
        self._work.end()
