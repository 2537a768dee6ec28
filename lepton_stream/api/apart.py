"""An asynchronous generator read in a thread with a loop of its own: from a plain `for`, and from `async for`.

A plain `for` may stand where a loop is running already, as in a notebook. And a `break` out of `async for` closes
nothing by itself: Python ends the generator some turns of the loop later, too late where the program ends right then.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
Make: TypeAlias = Callable[[], AsyncGenerator[list[T], None]]
AHEAD = 2
"""How many batches are fetched before they are asked for."""


def wait_apart(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask()` gives, also where a loop is running."""

    async def asked() -> T:
        return await ask()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(asked())).result()


def iterate_apart(make: Make[T]) -> Generator[T, None, None]:
    """What the batches of `make()` hold; its error is raised here.

    When the loop over this is left, in whatever way, the generator is closed and the thread has ended.
    """
    came = threading.Event()
    apart = _Apart(make, came.set)
    try:
        while True:
            came.clear()
            batch = apart.take()
            if batch is None:
                came.wait()
            elif not batch:
                return
            else:
                yield from batch
    finally:
        apart.close()


class AsyncApart(AsyncIterator[T], Generic[T]):
    """The same for `async for`; to be made in a running loop."""

    def __init__(self, make: Make[T]) -> None:
        self._came = came = asyncio.Event()
        loop = asyncio.get_running_loop()

        def tell() -> None:
            with suppress(RuntimeError):  # the reader's loop is closed: nobody waits
                loop.call_soon_threadsafe(came.set)

        self._apart = _Apart(make, tell)
        self._rows: list[T] = []

    async def __anext__(self) -> T:
        while not self._rows:
            self._came.clear()
            batch = self._apart.take()
            if batch is None:
                await self._came.wait()
            elif not batch:
                raise StopAsyncIteration
            else:
                self._rows = batch[::-1]
        return self._rows.pop()

    def close(self) -> None:
        """The generator is closed and the thread has ended."""
        self._apart.close()

    def __del__(self) -> None:
        self._apart.close()


class _Apart(Generic[T]):
    """The thread. It knows nothing of the reader, who can therefore be dropped."""

    def __init__(self, make: Make[T], tell: Callable[[], None]) -> None:
        self._make, self._tell = make, tell
        self._came: SimpleQueue[list[T]] = SimpleQueue()
        self._error: BaseException | None = None
        self._ended = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lepton-stream-results", daemon=True)
        self._thread.start()
        self._ready.wait()

    def take(self) -> list[T] | None:
        """The next batch; None if there is none yet, an empty one if it has ended. Raises the generator's error."""
        ended = self._ended  # asked before looking: what it gave last is there by then
        try:
            batch = self._came.get_nowait()
        except Empty:
            if not ended:
                return None
            if self._error is not None:
                raise self._error from None
            return []
        self._call(self._room.release)
        return batch

    def close(self) -> None:
        """Once and for all."""
        self._call(self._task.cancel)
        if threading.current_thread() is not self._thread:  # a collector may close us anywhere
            self._thread.join()

    def _call(self, what: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        try:
            asyncio.run(self._pump())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._error = error
        self._ended = True
        self._tell()

    async def _pump(self) -> None:
        self._loop, self._room = asyncio.get_running_loop(), asyncio.Semaphore(AHEAD)
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._ready.set()
        async with aclosing(self._make()) as batches:
            async for batch in batches:
                if batch:
                    await self._room.acquire()
                    self._came.put(batch)
                    self._tell()
