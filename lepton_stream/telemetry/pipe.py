"""Snapshots from a worker to its parent, through a pipe that both inherit: no port, no file, gone with the worker."""

from __future__ import annotations

import asyncio
import os
import struct
import threading
from collections.abc import AsyncIterator

import msgspec

from lepton_stream.telemetry.snapshot import Snapshot, pack, unpack

_LENGTH = struct.Struct(">I")
MOST_BYTES = 64 << 20


class Sender:
    """Writes the newest snapshot in a thread of its own: a parent that does not read delays nobody.

    A snapshot that was not sent when the next one comes is dropped.
    """

    def __init__(self, fd: int) -> None:
        """`fd`: the writing end, ours from now on."""
        self._fd = fd
        self._ready = threading.Condition()
        self._next: Snapshot | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def send(self, snapshot: Snapshot) -> None:
        """Hand over; returns at once."""
        with self._ready:
            self._next = snapshot
            self._ready.notify()

    def close(self, seconds: float = 2.0) -> None:
        """Send what waits, and close the pipe."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while (snapshot := self._wait()) is not None:
                data = pack(snapshot)
                self._write(_LENGTH.pack(len(data)) + data)
        except OSError:
            pass  # the parent has gone, and takes us with it
        finally:
            os.close(self._fd)

    def _wait(self) -> Snapshot | None:
        with self._ready:
            self._ready.wait_for(lambda: self._next is not None or self._closed)
            snapshot, self._next = self._next, None
            return snapshot

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]


async def received(fd: int) -> AsyncIterator[Snapshot]:
    """Every snapshot that comes whole through the reading end, until the writer is gone; closes it."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", buffering=0)
    )
    try:
        while True:
            (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            if size > MOST_BYTES:
                return
            yield unpack(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, msgspec.MsgspecError):
        return  # killed in the middle of a word: what it said before stands
    finally:
        transport.close()
