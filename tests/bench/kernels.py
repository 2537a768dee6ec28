"""CPU seconds a million rows and state bytes a group: `python -m tests.bench.kernels [FUNCTION ...]`.

1,000 groups, chunks of 16,384 rows; floats log-normal, integers and words heavy-tailed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import numpy as np

from lepton_stream.columns import Columns, Index, Numbers, text_from_strings
from lepton_stream.kernels.functions import column, function
from lepton_stream.kernels.kernel import Rows
from lepton_stream.kernels.registry import calls
from lepton_stream.pipeline.plan import Call

GROUPS, ROWS, CHUNK = 1000, 1_000_000, 16_384
TYPES = {"x": "float", "i": "int", "s": "str"}


def chunks() -> Iterator[tuple[Index, Rows]]:
    """Groups and rows of each."""
    dice = np.random.default_rng(1)
    for at in range(0, ROWS, CHUNK):
        n = min(CHUNK, ROWS - at)
        words = [f"w{i}" for i in (dice.zipf(1.2, n) % 5000).tolist()]
        whole = np.minimum(dice.zipf(1.3, n), 10**9)
        columns: Columns = {"x": Numbers(dice.lognormal(3, 1, n)), "i": Numbers(whole), "s": text_from_strings(words)}
        place = np.arange(at, at + n)
        yield dice.integers(0, GROUPS, n), Rows(columns, place, np.zeros(n, np.int64), place)


def measure(call: Call, made: list[tuple[Index, Rows]]) -> str:
    """One line."""
    asked = function(call, TYPES)
    states = {kernel.key: kernel.empty(GROUPS) for kernel in asked.kernels}
    began = time.process_time()
    for groups, rows in made:
        for kernel in asked.kernels:
            kernel.update(states[kernel.key], groups, rows)
    updated = time.process_time()
    size = sum(array.nbytes for state in states.values() for array in state.values()) / GROUPS
    column(asked, states)
    read = time.process_time() - updated
    return f"{call!s:28} update {(updated - began) * 1e6 / ROWS:.3f}  read {read:.3f}  {size:,.0f} bytes a group"


def main() -> None:
    """All functions, or those that are named."""
    made = list(chunks())
    for call in calls(TYPES):
        if not sys.argv[1:] or call.function in sys.argv[1:]:
            print(measure(call, made))


if __name__ == "__main__":
    main()
