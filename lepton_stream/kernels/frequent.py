"""The values that occur most often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lepton_stream.columns import Index, Numbers, Text, to_list
from lepton_stream.kernels import buckets
from lepton_stream.kernels.entries import GROUP, Entries
from lepton_stream.kernels.hashing import hashes, there
from lepton_stream.kernels.kernel import Rows, State
from lepton_stream.kernels.layered import Layered


@dataclass(frozen=True, slots=True)
class Frequent(Layered):
    """Counters of the most frequent values; nulls are left out.

    Input   any column.   State   9 bytes a group and 20 a counter (256, for a while 512), of text 28 and the text.
    Result  `top`: of each group a list of {value, count, error}, the most frequent first, equal counts by value.
    Error   none up to 256 different values in a group. Beyond, a value occurred at least `count` times and at most
            `count + error`; `error` is at most n / 257 of the group's n values, so what occurred oftener is there.
    Source  Misra and Gries, 1982; merging: Agarwal et al., "Mergeable summaries", PODS 2012.

    Beyond 256 different values a group's counters depend, within that bound, on how the rows were cut and in which
    order they were merged: no summary of this size that names its values could avoid it. All other kernels give the
    same bytes for any order.
    """

    field: str
    kind: str = "str"
    """The field's type."""
    exact_up_to: ClassVar[int] = 256

    @property
    def key(self) -> str:
        """`frequent.1(field)`."""
        return f"frequent.1({self.field})"

    def empty(self, groups: int) -> State:
        """State of groups without rows. `error`: how much was taken from each of a group's counters."""
        return {"coarse": np.zeros(groups, np.bool_), "error": np.zeros(groups, np.int64)}

    def update(self, state: State, groups: Index, rows: Rows) -> None:
        """Count the values that are there."""
        where, column = there(groups, rows.columns[self.field])
        text = column if isinstance(column, Text) else None
        keys = hashes(column) if text is not None else _keys(column)
        counted = Entries(where.astype(GROUP), keys, np.ones(len(keys), np.int64), _bare(text))
        self.add(state, np.arange(len(state["coarse"])), counted)

    def merge(self, state: State, groups: Index, other: State) -> None:
        """Add counters; what was taken from either was taken from both."""
        np.add.at(state["error"], groups, other["error"])
        Layered.merge(self, state, groups, other)

    def coarsen(self, state: State, found: Entries) -> Entries:
        """Of a group with too many counters, take the 257th largest from each, and leave out what is gone then."""
        count = found.counts(len(state["coarse"]))
        if int(count.max()) <= self.exact_up_to:
            return found
        order = np.lexsort((-found.weight, found.group))
        first = np.cumsum(count) - count
        many = np.flatnonzero(count > self.exact_up_to)
        taken = np.zeros(len(count), np.int64)
        taken[many] = found.weight[order[first[many] + self.exact_up_to]]
        state["error"] += taken
        left = found.weight - taken[found.group]
        return Entries(found.group, found.key, left, found.text).take(left > 0)


def _keys(column: Text | Numbers) -> Index:
    assert isinstance(column, Numbers)
    return buckets.keys_of(column.values)


def _bare(text: Text | None) -> Text | None:
    """Without the mask of what is missing: nothing is."""
    return None if text is None else Text(text.data, text.start, text.length)


def top(kernel: Frequent, state: State, k: int) -> list[Any]:
    """The k values with the largest counters of each group, None without values; `state` is settled by it."""
    found = kernel.settle(state)
    error = state["error"].tolist()
    count = found.counts(len(error))
    order = np.lexsort((-found.weight, found.group))
    first = np.cumsum(count) - count
    # all that tie with the k-th: which of them are told is decided by value
    least = np.ones(len(error), np.int64)
    many = np.flatnonzero(count > k)
    least[many] = found.weight[order[first[many] + k - 1]]
    chosen = found.take(found.weight >= least[found.group])
    lists: list[Any] = [None if not n else [] for n in count.tolist()]
    for group, value, weight in zip(
        chosen.group.tolist(), _values(kernel, chosen), chosen.weight.tolist(), strict=True
    ):
        lists[group].append((-weight, value))
    return [None if of is None else _told(sorted(of)[:k], e) for of, e in zip(lists, error, strict=True)]


def _values(kernel: Frequent, found: Entries) -> list[Any]:
    if found.text is not None:
        return to_list(found.text)
    values = buckets.values_of(found.key, whole=kernel.kind != "float")
    return list((values.astype(np.bool_) if kernel.kind == "bool" else values).tolist())


def _told(best: list[tuple[int, Any]], error: int) -> list[dict[str, Any]]:
    return [{"value": value, "count": -less, "error": error} for less, value in best]
