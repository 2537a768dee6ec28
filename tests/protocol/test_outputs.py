"""Results are encoded a column at a time, and every record is what one call for its row would have given."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.columns import Told
from lepton_stream.formats.json_columns import written
from lepton_stream.models.events import Events
from lepton_stream.protocol.metadata import Pointer
from lepton_stream.protocol.outputs import event_records, records_of
from lepton_stream.protocol.parts import Stored, chain, parts_of
from lepton_stream.protocol.ports import Record
from lepton_stream.windows.results import Results

TEXT = st.text(alphabet=st.sampled_from(['"', ",", "\\", "[", "a", "é", "\n", "\x00", "%", "{"]), max_size=6)
NUMBER = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
ODD = st.lists(NUMBER, max_size=3) | st.dictionaries(TEXT, NUMBER, max_size=2) | st.lists(TEXT, max_size=3)


@settings(max_examples=300)
@given(st.lists(TEXT, max_size=8) | st.lists(NUMBER, max_size=8) | st.lists(st.one_of(TEXT, NUMBER, ODD), max_size=8))
def test_each_value_is_written_as_it_would_be_alone(values: list[Any]) -> None:
    assert written(values) == [orjson.dumps(value) for value in values]


@settings(max_examples=100)
@given(st.data())
def test_records_are_those_of_their_rows(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 5))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return data.draw(st.lists(values, min_size=n, max_size=n))

    columns: dict[str, Told] = {"who%s": column(TEXT), "k": column(NUMBER), "window_start": column(st.integers(0, 9)),
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


def test_events_are_their_rows_under_the_json_array_of_their_group() -> None:
    columns: dict[str, list[Any]] = {"who": ["a", 'b"'], "n": [1, 2], "model": ["spike", "spike"], "score": [5.5, -1e6]}
    for by in (("who", "n"), ("who",), ()):
        made = list(event_records([batch := Events("spike", by, columns)]))
        rows = list(batch.rows())
        assert [r.value for r in made] == [orjson.dumps(row) for row in rows]
        assert [r.key for r in made] == [orjson.dumps([row[name] for name in by]) for row in rows]
        assert all(r.event for r in made)


def test_a_stored_checkpoint_knows_which_of_its_outputs_are_events() -> None:
    outputs = (Record(b"r", b"1"), Record(b"e", b"2", event=True), Record(b"t", None))
    (part,) = parts_of(Stored(b"delta", outputs), "one", 1, Pointer("plan"), 1 << 20)
    (stored,) = chain([(0, part)], 0, 0, "here")
    assert stored == Stored(b"delta", outputs)
    (plain,) = parts_of(Stored(b"delta", outputs[:1]), "one", 1, Pointer("plan"), 1 << 20)
    assert b"event" not in plain
