"""Freed memory stays with the process: the second array of a size needs no new pages."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from lepton_stream.runtime.allocator import keep_freed_memory

ARRAYS = """
import resource, sys
import numpy as np
from lepton_stream.runtime.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def use():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(6 << 20, np.uint8), np.ones(3 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
use()
print(use())
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", ARRAYS, how], check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="the C library is not glibc")
def test_arrays_of_chunks_need_no_new_pages() -> None:
    pages = 20 * (9 << 20) // resource.getpagesize()
    assert faults("kept") < pages / 20
