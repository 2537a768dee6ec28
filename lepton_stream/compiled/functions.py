"""The compiled functions in one namespace: what `switch.current()` gives. Importing this imports Numba."""

from __future__ import annotations

__all__: list[str] = []
