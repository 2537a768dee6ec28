"""Rows of JSON are the same on both paths, and as orjson writes each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Numbers, Told, listed, take, text_from_strings
from lepton_stream.expression.made import constant
from lepton_stream.formats.json_columns import JsonColumns
from tests.compiled.both_ways import both

TEXT = st.lists(
    st.sampled_from(['"', ",", "\\", "[", "a", "é", "\n", "\x00", "\x7f", "%", "{", "long " * 5]), max_size=6
).map("".join)
PLAIN = st.text(st.sampled_from(["a", "é", ",", "%", "]", "\x7f", "😀"]), max_size=20)
WHOLE = st.integers(-(1 << 63), (1 << 63) - 1)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
TYPES = {"int": (WHOLE, np.int64), "float": (FLOAT, np.float64), "bool": (st.booleans(), np.bool_)}


@st.composite
def columns_of(draw: st.DrawFn, n: int) -> Told:
    """A column of n rows, of any kind."""

    def some(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    kind = draw(st.sampled_from(["text", "plain", "list", "constant", *TYPES]))
    missing = draw(st.booleans())
    if kind == "constant":
        of, value = draw(st.sampled_from([("str", 'a"%'), ("int", 7), ("bool", True), ("float", 0.5)]))
        return constant(value, of, n)  # type: ignore[arg-type]
    if kind == "list":
        return some(st.none() | TEXT | WHOLE | FLOAT | st.lists(WHOLE, max_size=2))
    if kind in TYPES:
        values, dtype = TYPES[kind]
        numbers: np.ndarray[Any, Any] = np.array(some(values), dtype)
        if not missing:
            return Numbers(numbers)
        valid = np.array(some(st.booleans()), np.bool_)
        return Numbers(np.where(valid, numbers, dtype(0)), valid)
    texts = TEXT if kind == "text" else PLAIN
    made = text_from_strings(some(st.none() | texts if missing else texts))
    order = draw(st.permutations(range(n)))
    return take(made, np.array(order, np.int64))


@settings(max_examples=200)
@given(st.data())
def test_rows_are_those_of_orjson_on_both_paths(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 6))
    names = data.draw(st.lists(TEXT, min_size=1, max_size=4, unique=True))
    columns = {name: data.draw(columns_of(n)) for name in names}
    keys = data.draw(st.lists(st.sampled_from(names), max_size=3))

    def told() -> tuple[list[bytes], list[bytes], bytes]:
        made = JsonColumns(columns)
        return made.objects(), made.arrays(keys), bytes(made.lines())

    lists = {name: listed(values) for name, values in columns.items()}
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    wanted = [orjson.dumps(row) for row in rows]
    arrays = [orjson.dumps([row[key] for key in keys]) for row in rows]
    lines = b"".join(row + b"\n" for row in wanted)
    for found in both(told):
        assert found == (wanted, arrays, lines)


@pytest.mark.parametrize("letter", ['"', "\\", "\x00", "\x1f"])
def test_a_text_that_json_writes_in_another_way_is_not_copied(letter: str) -> None:
    column = text_from_strings(["plain", f"a{letter}b"])
    for found in both(lambda: JsonColumns({"t": column}).objects()):
        assert found == [orjson.dumps({"t": text}) for text in ("plain", f"a{letter}b")]
