"""No bytes crash `prepare`, and no record's bytes decide about another record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lepton_stream.columns import to_list
from lepton_stream.core import Job, SourceState, prepare
from lepton_stream.core.prepare import clean_ahead
from lepton_stream.formats.csv_records import CsvDecoder
from lepton_stream.formats.json_records import JsonDecoder
from lepton_stream.pipeline.builder import Pipeline
from lepton_stream.pipeline.plan import FileForm, Plan
from tests.core.strategies import ANYTHING, PIECES
from tests.core.streams import PLAN, SECRET, chunk

COLUMNS = ("t", "device", "id", "value", "seq", "ok")
FORM = FileForm(format="csv", columns=COLUMNS, header=False)
CSV_CELLS = st.one_of(st.sampled_from([b"1", b"1.5", b"a", b"true", b"", b'"a,b"', b'"', b"nan", b"1e400"]), PIECES)
CSV_LINES = st.lists(CSV_CELLS, min_size=4, max_size=7).map(b",".join)


def job_for(kind: str, plan: Plan = PLAN) -> Job:
    if kind == "csv":
        return Job(plan, CsvDecoder(plan.source, plan.fields, FORM), SECRET)
    return Job(plan, JsonDecoder(plan.source, plan.fields), SECRET)


def verdicts(job: Job, values: list[bytes | None]) -> list[Any]:
    """Per record: its reason and detail, or its values (as `repr`: -0.0 is not 0.0, 1 is not 1.0) and event time."""
    decoded, time = clean_ahead(job, chunk(0, values))
    out: list[Any] = [None] * len(values)
    for reject in decoded.rejects:
        assert out[reject.row] is None, "a record was rejected twice"
        out[reject.row] = (str(reject.reason), reject.detail)
    columns = {name: to_list(column) for name, column in decoded.columns.items()}
    for at, row in enumerate(decoded.rows.tolist()):
        assert out[row] is None, "a record was both kept and rejected"
        out[row] = {name: repr(v[at]) for name, v in columns.items()} | {"": int(time[at])}
    assert None not in out, "a record was lost"
    return out


@pytest.mark.parametrize("kind", ["json", "csv"])
@settings(max_examples=200)
@given(values=st.lists(ANYTHING | CSV_LINES, max_size=12))
@example(values=[b'{"t":1,"device":"\\ud800","id":1,"ok":true}', b'{"t":1,"device":"a","id":1,"ok":true}'])
@example(values=[b'{"t":1,"device":"a","id":1,"ok":true}', b'{"t":1,"device":"a","id":1,"value":-0.0,"ok":true}'])
@example(values=[b'"', b"1,a,1,2,3,true", b'"'])
@example(values=[b"\xe2", b"\x82\xac"])
def test_each_record_gets_the_verdict_and_the_values_that_it_gets_alone(kind: str, values: list[bytes | None]) -> None:
    job = job_for(kind)
    assert verdicts(job, values) == [verdicts(job, [value])[0] for value in values]


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize("identity", [["id"], "all", None])
@settings(max_examples=60)
@given(values=st.lists(ANYTHING | CSV_LINES, max_size=20))
def test_any_list_of_byte_strings_is_counted_in_full(kind: str, identity: Any, values: list[bytes | None]) -> None:
    plan = (
        Pipeline("bytes")
        .source("bytes.v1", time="t", id=identity)
        .field("t", "float")
        .field("device", "str", required=False, on_bad="null")
        .field("id", "int")
        .field("value", "float", required=False, min=-5, max=5, on_bad="clip")
        .field("ok", "bool", on_bad={"default": False})
        .window("all", size="1h", group_by=[], results={"n": "count()", "mean": "mean(value)"})
        .plan
    )
    job = job_for(kind, plan)
    made = prepare(job, SourceState(job), chunk(0, values))
    account = made.account
    assert account.read == len(values)
    assert account.balanced
    assert len(made.rejects) == account.dead_lettered.total()
    assert len(made.late) == account.late


def test_a_chunk_without_records_moves_offsets_only() -> None:
    job = job_for("json")
    source = SourceState(job)
    prepare(job, source, chunk(0, [b'{"t":7,"device":"a","id":1,"ok":true}']))
    made = prepare(job, source, chunk(0, [], first=3, start=1))
    assert [(f.start, f.end, f.high, f.parts) for f in made.frames] == [(1, 4, 7_000_000, ())]
    assert made.account.read == 0
    assert made.late.dtype == np.int64
