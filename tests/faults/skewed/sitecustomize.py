"""Loaded by Python itself when this folder is on its path: the wall clock is off by what the file SKEW_FILE says.

Of `time.time` and `time.time_ns` alone; the clocks that only go forward stay as they are.
"""

import os
import time
from pathlib import Path

_FILE = Path(os.environ["SKEW_FILE"])
_TRUE_NS = time.time_ns


def _skewed_ns() -> int:
    return _TRUE_NS() + int(_FILE.read_text() or 0) * 1_000_000_000


time.time_ns = _skewed_ns
time.time = lambda: _skewed_ns() / 1e9  # noqa: TID251 - it is replaced
