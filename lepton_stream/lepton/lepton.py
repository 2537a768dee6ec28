"""`Lepton`: cut an array into views, work on them in processes, merge."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

import numpy as np

from lepton_stream.errors import UsageError
from lepton_stream.kernels.gram import Gram, gram
from lepton_stream.kernels.kernel import Kernel, State
from lepton_stream.lepton.arrays import Array, NaNs, matrix_of, partition
from lepton_stream.lepton.kernel_runs import KernelRun, Partial, is_kernel
from lepton_stream.lepton.merging import merge
from lepton_stream.lepton.pool import Start, run_here, run_in_processes
from lepton_stream.pipeline.plan import Call

P = TypeVar("P")
T = TypeVar("T")


class Lepton:
    """The batch face, for arrays at hand.

    `workers`: processes that `map` starts (0: none, it works in this one); left out, one a CPU. `start`: how Python
    starts them; "spawn" is safe everywhere and takes functions of modules only, "fork" (Linux) takes any function.
    """

    def __init__(self, workers: int | None = None, *, start: Start = "spawn") -> None:
        if workers is not None and (not isinstance(workers, int) or not 0 <= workers <= 1000):
            raise UsageError(f"workers is {workers!r}: expects 0 to 1000, or None for one a CPU")
        if start not in ("spawn", "fork", "forkserver"):
            raise UsageError(f'start is {start!r}: expects "spawn", "fork" or "forkserver"')
        self.workers = len(os.sched_getaffinity(0)) if workers is None else workers
        self._start: Start = start

    def data_partition(self, x: Array, num_partitions: int = 10) -> list[Array]:
        """Views of consecutive rows of x, no copies; their numbers of rows differ by one at most.

        Raises UsageError for what is no array, and for less than one partition or more than rows.
        """
        return partition(x, num_partitions)

    @overload
    def map(self, function: Call, parts: Iterable[Any]) -> list[Partial]: ...

    @overload
    def map(self, function: Kernel, parts: Iterable[Any]) -> list[State]: ...

    @overload
    def map(self, function: Callable[[P], T], parts: Iterable[P]) -> list[T]: ...

    def map(self, function: Any, parts: Iterable[Any]) -> list[Any]:
        """What the function gives for each part, in the order of the parts.

        A call such as `k.mean("pm25")` gives a `Partial` to merge, whose `.result()` is the value; a kernel gives its
        state. Their parts are structured arrays, mappings of arrays, or matrices with columns "0", "1" and so on.

        Big arrays travel through shared memory; a worker has a copy, so changing its part changes nothing here. On a
        terminal a progress bar tells those who wait for more than two seconds. Raises PartError, which names the part,
        where the function raises or its process dies; UsageError for a function that cannot be sent to a process.
        """
        if not (callable(function) or is_kernel(function)):
            raise UsageError(f"map: {type(function).__name__} is not callable: expects a function of one part")
        given = list(parts)
        if is_kernel(function):
            function, given = KernelRun(function), list(enumerate(given))
        if not given or not self.workers:
            return run_here(function, given)
        return run_in_processes(function, given, self.workers, self._start)

    def merge(self, results: Iterable[Any], kernel: Kernel | None = None) -> Any:
        """All results as one: arrays are added, states merged by their kernel, others by their own `.merge`.

        Mappings merge by key, tuples and lists place by place. Raises UsageError where they do not fit each other.
        """
        return merge(results, kernel)

    def gram(self, x: Array, *, nan: NaNs = "refuse") -> Array:
        """`x.T @ x` for x of shape (n, d), in NumPy's type. Raises UsageError.

        `nan`: what becomes of rows with NaN or infinity: "refuse", "omit" (without those rows), "propagate".
        """
        x = matrix_of(x, nan)
        return np.asarray(x.T @ x)

    def covariance(self, x: Array, *, nan: NaNs = "refuse") -> Array:
        """`np.cov(x, rowvar=False)`, float64[d, d], also for one column. Raises UsageError, below two rows too."""
        return _centred(matrix_of(x, nan)).covariance()

    def correlation(self, x: Array, *, nan: NaNs = "refuse") -> Array:
        """`np.corrcoef(x, rowvar=False)`, float64[d, d]; NaN for a column that does not vary. Raises UsageError."""
        return _centred(matrix_of(x, nan)).correlation()


def _centred(x: Array) -> Gram:
    state = gram(x)
    if state.rows < 2:
        raise UsageError(f"covariance of {state.rows} rows: expects two at least")
    return state
