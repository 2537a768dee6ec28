"""Loaded by Python itself when this folder is on its path: the wall clock is off by what the file SKEW_FILE says.

Seconds, and perhaps by how much a second is too long: `0 0.1` is a clock that runs a tenth too fast. Of `time.time` and
`time.time_ns` alone; the clocks that only go forward stay as they are.
"""

import os
import time
from pathlib import Path

_FILE = Path(os.environ["SKEW_FILE"])
_TRUE_NS = time.time_ns
_BEGAN_NS = time.monotonic_ns()


def _skewed_ns() -> int:
    seconds, drift, *_ = [*map(float, _FILE.read_text().split()), 0.0, 0.0]
    return _TRUE_NS() + int(seconds * 1e9) + int(drift * (time.monotonic_ns() - _BEGAN_NS))


time.time_ns = _skewed_ns
time.time = lambda: _skewed_ns() / 1e9  # noqa: TID251 - it is replaced
