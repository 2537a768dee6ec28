"""How everything in this package is compiled: no Python objects inside, the GIL given back, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

_HOW = {"cache": True, "nogil": True, "boundscheck": False, "error_model": "numpy"}


def jit(function: F) -> F:
    """Compile when first called; the machine code is kept in Numba's cache folder.

    Indices are not checked and division follows NumPy: what may lie outside is checked by the code itself.
    """
    compiled: F = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)
    return compiled


def inlined(function: F) -> F:
    """The same for a small function that other compiled ones call many times a record: it becomes part of them."""
    compiled: F = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy", forceinline=True)(function)
    return compiled


def jit_for(signature: Any) -> Callable[[F], F]:
    """The same for these types alone, at once: importing the module compiles it, or reads it from the cache."""

    def compile_at_once(function: F) -> F:
        compiled: F = numba.njit(signature, **_HOW)(function)
        return compiled

    return compile_at_once
