"""Memory that one chunk gives back is kept for the next: new pages have to be found and cleared, which takes time."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_* of glibc's malloc.h
_KEPT = 256 << 20
_LARGEST = 32 << 20  # glibc takes no more


def keep_freed_memory(most: int = _KEPT) -> bool:
    """From now on this process keeps up to 256 MiB of freed memory, or `most`; False where the C library is not glibc.

    Without this, each array above 128 KiB may be mapped anew, which cost about 0.1 CPU-s per million events. No more
    is held than was needed at once before. https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST) and mallopt(_TRIM_THRESHOLD, min(most, _KEPT)))


def give_back_freed_memory() -> bool:
    """What is kept goes back to the system, at once: some 10 ms. False where the C library is not glibc."""
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (AttributeError, OSError, TypeError):
        return False
