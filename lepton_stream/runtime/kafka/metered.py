"""What a task takes of the loop's thread while it runs, its waits left out: it is carried from one wait to the next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

from lepton_stream import clock

T = TypeVar("T")


class Metered(Awaitable[T]):
    """Awaits `work` and tells `note` of each run without a break: CPU seconds of the thread, seconds on the clock."""

    def __init__(
        self, work: Awaitable[T], note: Callable[[float, float], None], cpu: Callable[[], float] = clock.thread_cpu_s
    ) -> None:
        """`cpu`: CPU seconds of the thread so far."""
        self._work, self._note, self._cpu = work, note, cpu

    def __await__(self) -> Generator[Any, Any, T]:
        """As `work` alone: what it waits for, what comes of that, cancellation and errors go through."""
        steps = self._work.__await__()
        came: BaseException | None = None
        while True:
            cpu_s, wall_s = self._cpu(), clock.elapsed_s()
            try:
                awaited = next(steps) if came is None else steps.throw(came)
            except StopIteration as done:
                result: T = done.value
                return result
            finally:
                self._note(self._cpu() - cpu_s, clock.elapsed_s() - wall_s)
            came = None
            try:
                yield awaited
            except BaseException as error:
                came = error
