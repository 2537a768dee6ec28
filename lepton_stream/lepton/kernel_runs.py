"""The kernels of pipelines on arrays at hand: one group, the columns of a part."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from lepton_stream.columns import Columns, Numbers
from lepton_stream.errors import LeptonError, UsageError
from lepton_stream.kernels.functions import column, function
from lepton_stream.kernels.kernel import Kernel, Rows, State, size
from lepton_stream.lepton.arrays import Array, array_of
from lepton_stream.pipeline.calls import check_call, parsed
from lepton_stream.pipeline.plan import Call

_TYPES = {"f": ("float", np.float64), "i": ("int", np.int64), "b": ("bool", np.bool_)}
_MOST = (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """What a call such as `k.mean("pm25")` has seen so far: states by kernel key."""

    call: Call
    types: Mapping[str, str]
    states: Mapping[str, State]

    def merge(self, other: Self) -> Self:
        """Of the rows of both. Raises UsageError if they are not of the same call."""
        if (self.call, self.types) != (other.call, other.types):
            raise UsageError(f"merge: {self.call} and {other.call}, or columns of other types: they must be the same")
        kernels = function(self.call, dict(self.types)).kernels
        merged = {
            kernel.key: merged_states(kernel, self.states[kernel.key], other.states[kernel.key]) for kernel in kernels
        }
        return type(self)(self.call, self.types, merged)

    def result(self) -> Any:
        """The value; None where the function has none."""
        return column(function(self.call, dict(self.types)), dict(self.states))[0]


@dataclass(frozen=True, slots=True)
class KernelRun:
    """A call or a kernel as a function of (place, part): a Partial, or the kernel's state of one group."""

    what: Call | Kernel

    def __call__(self, given: tuple[int, Any]) -> Partial | State:
        """Raises UsageError for a part that is no array, and for columns that do not fit the call."""
        place, part = given
        columns, types = _columns(part)
        n = len(next(iter(columns.values())))
        where = np.zeros(n, np.int64)
        rows = Rows(columns, time=where, source=np.full(n, place, np.int64), offset=np.arange(n))
        if not isinstance(self.what, Call):
            return _state(self.what, where, rows)
        try:
            call = check_call(parsed(self.what), types)
        except (LeptonError, ValueError) as error:
            raise UsageError(f"{self.what}: {error}; the part has the columns {', '.join(types)}") from None
        kernels = function(call, types).kernels
        return Partial(call, types, {kernel.key: _state(kernel, where, rows) for kernel in kernels})


def is_kernel(what: object) -> bool:
    """Whether it is a call or a kernel, rather than a function."""
    return isinstance(what, Call) or all(callable(getattr(what, name, None)) for name in ("empty", "update", "merge"))


def merged_states(kernel: Kernel, left: State, right: State) -> State:
    """A new state of one group, or of several where both have as many."""
    merged = copy.deepcopy(left)
    kernel.merge(merged, np.arange(size(right)), right)
    return merged


def _state(kernel: Kernel, groups: Any, rows: Rows) -> State:
    state = kernel.empty(1)
    kernel.update(state, groups, rows)
    return state


def _columns(part: Any) -> tuple[Columns, dict[str, str]]:
    """By name: of a structured array or a mapping; of a matrix they are called "0", "1" and so on."""
    if isinstance(part, Mapping):
        named = {str(name): array_of(values) for name, values in part.items()}
    else:
        array = array_of(part)
        if array.dtype.names:
            named = {name: array[name] for name in array.dtype.names}
        else:
            matrix = array.reshape(len(array), -1)
            named = {str(i): matrix[:, i] for i in range(matrix.shape[1])}
    if len({values.shape for values in named.values()}) != 1:
        raise UsageError("a part's columns have several lengths, or none: expects arrays of one length")
    columns: Columns = {}
    types: dict[str, str] = {}
    for name, values in named.items():
        kind = "i" if values.dtype.kind == "u" else values.dtype.kind
        if kind not in _TYPES or values.ndim != 1:
            raise UsageError(f"column {name} holds {values.dtype}: expects floats, integers or booleans")
        types[name], wide = _TYPES[kind]
        columns[name] = Numbers(_converted(name, values, wide))
    return columns, types


def _converted(name: str, values: Array, wide: type[np.generic]) -> Array:
    """As kernels take them; what their type cannot hold is refused, as NumPy would wrap it around silently."""
    if values.dtype.kind == "u" and int(values.max(initial=0)) > _MOST:
        raise UsageError(
            f"column {name} holds {values.max()}: expects integers up to {_MOST}; x.astype(float) rounds them"
        )
    with np.errstate(over="ignore"):  # told below
        converted = np.ascontiguousarray(values, wide)
    if wide is np.float64 and not np.isfinite(converted).all():
        raise UsageError(
            f"column {name} holds NaN, infinity or what no double holds: leave those rows out, as in x[np.isfinite(x)]"
        )
    return converted
