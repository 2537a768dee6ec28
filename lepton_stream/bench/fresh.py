"""Memory as a machine of one's own has it: a virtual one hands freed pages to its host, and waits to get them back."""

from __future__ import annotations

import mmap

from lepton_stream import clock

GiB = 1 << 30
_PAGE = 4096
_MB = 1 << 20


def use_once(size: int = GiB) -> float:
    """Use so many bytes and give them back; the milliseconds that a MB took, the first time that it was used.

    Pages that a host took back cost some 2 ms a MB, others less than 0.1. Which of them a run meets depends on what ran
    before it on the machine, and not on the run: so all runs are given some that the machine has at hand.
    """
    with mmap.mmap(-1, size) as memory:
        if hasattr(mmap, "MADV_HUGEPAGE"):
            memory.madvise(mmap.MADV_HUGEPAGE)
        began = clock.elapsed_s()
        for at in range(0, size, _PAGE):
            memory[at] = 1
        return (clock.elapsed_s() - began) * 1e3 * _MB / size
