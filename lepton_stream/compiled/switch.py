"""Which path runs: the compiled one once it is turned on, the portable one until then. Both give the same results."""

from __future__ import annotations

from types import ModuleType

_current: ModuleType | None = None


def current() -> ModuleType | None:
    """The compiled functions (`lepton_stream.compiled.functions`), None while the portable path is in force."""
    return _current


def use(functions: ModuleType | None) -> None:
    """Change over, from the next call of each function on; None goes back to the portable path."""
    global _current  # noqa: PLW0603  (one process, one path)
    _current = functions
