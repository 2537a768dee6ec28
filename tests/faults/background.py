"""A coroutine beside the test, in a thread with a loop of its own, that is asked to end and tells how it ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress


class Background:
    """Runs `work(stop)` until it returns; `stop` is set by `end`."""

    def __init__(self, work: Callable[[asyncio.Event], Awaitable[None]], name: str) -> None:
        self._work, self._stop = work, asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._begun = threading.Event()
        self._done: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        async def main() -> None:
            self._task = asyncio.current_task()
            self._begun.set()
            await self._work(self._stop)

        try:
            asyncio.run(main())
        except BaseException as error:
            self._done.set_exception(error)
        else:
            self._done.set_result(None)

    @property
    def running(self) -> bool:
        """Whether it has not returned."""
        return not self._done.done()

    def wait(self, seconds: float) -> None:
        """Until it has returned by itself. Raises what it raised."""
        self._done.result(seconds)

    def end(self, seconds: float = 60) -> None:
        """Ask it to return, and wait. Raises what it raised."""
        self._call(self._stop.set)
        self._done.result(seconds)

    def abandon(self, seconds: float = 5) -> None:
        """Ask it to return, break it off if it does not, and forget what became of it: its thread is gone."""
        with suppress(BaseException):
            self.end(seconds)
        if self.running and self._task is not None:
            self._call(self._task.cancel)
        self._thread.join(seconds)
        assert not self._thread.is_alive(), self._thread.name

    def _call(self, what: Callable[[], object]) -> None:
        self._begun.wait(5)
        if self._task is not None and self.running:
            with suppress(RuntimeError):  # the loop has just been closed
                self._task.get_loop().call_soon_threadsafe(what)
