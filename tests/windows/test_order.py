"""The order of results is that of Python tuples of window and group."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Numbers, Told, text_from_strings
from lepton_stream.windows.order import order_of

_LETTERS = st.sampled_from(["a", "b", "\x00", "é", "😀", "\uffff", "aaaaaaaa", "a" * 30])
_TEXTS = st.lists(_LETTERS, max_size=5).map("".join)
_KINDS: dict[str, st.SearchStrategy[Any]] = {
    "str": _TEXTS,
    "int": st.integers(-2, 2) | st.integers(-(1 << 63), (1 << 63) - 1),
    "float": st.sampled_from([0.0, -0.0, 1.5, -1.5, 1e300]),
    "bool": st.booleans(),
    "list": _TEXTS,
}


def column(kind: str, values: list[Any]) -> Told:
    if kind == "list":
        return values
    if kind == "str":
        return text_from_strings(values)
    return Numbers(np.array(values, {"int": np.int64, "float": np.float64, "bool": np.bool_}[kind]))


@settings(max_examples=300)
@given(st.data())
def test_rows_are_ordered_as_tuples_are(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(_KINDS)), max_size=3))
    n = data.draw(st.integers(0, 12))
    window = data.draw(st.lists(st.integers(0, 2) | st.integers(-(1 << 40), 1 << 40), min_size=n, max_size=n))
    groups = [data.draw(st.lists(_KINDS[kind], min_size=n, max_size=n)) for kind in kinds]
    check(window, kinds, groups)


def test_a_long_text_comes_before_what_stands_behind_it() -> None:
    long = "x" * 40
    check([0, 0, 0, 0], ["str", "int"], [[long + "b", long + "a", long + "b", long], [1, 3, 0, 9]])


def check(window: list[int], kinds: list[str], groups: list[list[Any]]) -> None:
    columns = [column(kind, values) for kind, values in zip(kinds, groups, strict=True)]
    wanted = sorted(range(len(window)), key=lambda i: (window[i], *(values[i] for values in groups)))
    assert order_of(np.array(window, np.int64), columns).tolist() == wanted
