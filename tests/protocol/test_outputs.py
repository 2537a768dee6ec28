"""Results are encoded a column at a time, and every record is what one call for its row would have given."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.protocol.outputs import records_of, written
from lepton_stream.windows.results import Results

TEXT = st.text(alphabet=st.sampled_from(['"', ",", "\\", "[", "a", "é", "\n", "\x00", "%", "{"]), max_size=6)
NUMBER = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
ODD = st.lists(NUMBER, max_size=3) | st.dictionaries(TEXT, NUMBER, max_size=2) | st.lists(TEXT, max_size=3)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXT, max_size=8) | st.lists(NUMBER, max_size=8) | st.lists(st.one_of(TEXT, NUMBER, ODD), max_size=8))
def test_each_value_is_written_as_it_would_be_alone(values: list[Any]) -> None:
    assert written(values) == [orjson.dumps(value) for value in values]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_records_are_those_of_their_rows(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 5))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return data.draw(st.lists(values, min_size=n, max_size=n))

    columns = {"who%s": column(TEXT), "k": column(NUMBER), "window_start": column(st.integers(0, 9)),
               "window_end": column(st.integers(0, 9)), 'x"%b': column(NUMBER), "y": column(ODD)}  # fmt: skip
    batch = Results(data.draw(TEXT), ("who%s", "k"), columns, data.draw(st.booleans()), 7)
    made = list(records_of([batch]))
    rows = list(batch.rows())
    assert [r.value for r in made] == [orjson.dumps(row) for row in rows]
    names = ("window", "window_start", "who%s", "k")
    assert [r.key for r in made] == [orjson.dumps([row[name] for name in names]) for row in rows]


@pytest.mark.parametrize("text", ['a",', '","', "\\", '\\","', ""])
def test_texts_that_look_like_the_border_between_two_stay_whole(text: str) -> None:
    assert [orjson.loads(one) for one in written([text, "b", text])] == [text, "b", text]
