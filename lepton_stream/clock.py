"""The clocks, read only by the runtimes: everything that decides is handed its time."""

from __future__ import annotations

import time


def now_us() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def elapsed_s() -> float:
    """Seconds on a clock that only goes forward."""
    return time.perf_counter()


def thread_cpu_s() -> float:
    """CPU seconds that this thread has used."""
    return time.thread_time()


def cpu_s() -> float:
    """CPU seconds that this process has used, user and system, all threads."""
    return time.process_time()
