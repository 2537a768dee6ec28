"""An event loop whose time passes only when nothing else is to be done, and then at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time` is that of the timer that is due next."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def time(self) -> float:
        """Seconds."""
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def run(monkeypatch: pytest.MonkeyPatch, modules: list[Any], main: Callable[[], Awaitable[T]]) -> T:
    """What `main` gives, in virtual time; `modules` read it from their `clock`."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        for module in modules:
            told = SimpleNamespace(**{**vars(module.clock), "elapsed_s": loop.time})
            monkeypatch.setattr(module, "clock", told)

        async def whole() -> T:
            return await main()

        return runner.run(whole())
