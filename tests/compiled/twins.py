"""One function on both paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lepton_stream.compiled import loader, switch

T = TypeVar("T")


def on(path: str, call: Callable[[], T]) -> T:
    """What the call gives on that path; the path of the session is in force again afterwards."""
    before = switch.current()
    switch.use(loader.functions_now() if path == "compiled" else None)
    try:
        return call()
    finally:
        switch.use(before)


def both(call: Callable[[], T]) -> tuple[T, T]:
    """(what the portable path gives, what the compiled one gives)."""
    return on("portable", call), on("compiled", call)
