"""How everything in this package is compiled: no Python objects inside, the GIL given back, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile when first called; the machine code is kept in Numba's cache folder.

    Indices are not checked and division follows NumPy: what may lie outside is checked by the code itself.
    """
    compiled: F = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)
    return compiled
