"""Columns derived of results: of every published row what the slow oracle makes of that row's other columns."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_stream.expression.parse import parse
from lepton_stream.pipeline.plan import Plan
from tests.core.strategies import ANYTHING, WILD, good, partitions
from tests.core.streams import FIELDS, Manner, Partitions, carry_out, plainly, record
from tests.expression.oracle import value_of

RESULTS = {
    "n": "count()",
    "there": "count(value)",
    "total": "sum(seq)",
    "mean": "mean(value)",
    "std": "std(value)",
    "most": "max(seq)",
    "width": "range(seq)",
    "middle": "median(seq)",
    "different": "distinct(seq)",
    "top": "top(seq, 2)",
}
DERIVED = {
    "cv": "std / mean",
    "each": "total // there",
    "share": "100 * there / n",
    "band": 'when(n >= 2 and mean < -10, concat("low ", device), bucket(mean, [-10, 10], ["low", "middle", "high"]))',
    "calm": "ok and coalesce(cv < 1, true)",
    "more": "most - width + different",
    "odd": "middle % 2 == 1",
    "hour_": 'hour("Asia/Shanghai")',
}
KINDS = {"n": "int", "there": "int", "total": "int", "mean": "float", "std": "float", "most": "int", "width": "int"}
KINDS |= {"middle": "float", "different": "int", "device": "str", "ok": "bool"}
KINDS |= {"cv": "float", "each": "int", "share": "float", "band": "str", "calm": "bool", "more": "int", "odd": "bool"}
MANNERS = st.builds(Manner, st.randoms(use_true_random=False), partitions=st.integers(1, 4))


def plan() -> Plan:
    """Final results of tumbling windows, updates of hopping ones."""
    shared: dict[str, Any] = {"group_by": ["device", "ok"], "results": RESULTS, "derive": DERIVED}
    return (
        FIELDS.window("all", size="10s", lateness="3s", **shared)
        .window("hops", kind="hopping", size="20s", every="5s", emit="updates", **shared)
        .plan
    )


def by_oracle(row: dict[str, Any]) -> dict[str, Any]:
    """The derived columns of a published row. A sum that 64 bits cannot hold is published as a float: null here."""
    known = {k: None if KINDS.get(k) == "int" and isinstance(v, float) else v for k, v in row.items()}
    found: dict[str, Any] = {}
    for name, text in DERIVED.items():
        found[name] = value_of(parse(text), known | found, row["window_start"] * 1000, KINDS)
    return found


@settings(max_examples=60)
@given(partitions(good(WILD), most=30), MANNERS)
def test_every_published_row_has_what_its_results_give(sources: Partitions, manner: Manner) -> None:
    for row in carry_out(sources, manner, plan()).rows:
        assert {name: row[name] for name in DERIVED} == by_oracle(row)


@settings(max_examples=40)
@given(partitions(ANYTHING, most=30), MANNERS)
def test_any_cut_and_route_gives_the_same(sources: Partitions, manner: Manner) -> None:
    assert carry_out(sources, manner, plan()).same() == plainly(sources, plan()).same()


def test_columns_come_behind_the_results_in_their_order() -> None:
    (row, *_) = plainly([[record(1, seq=2, ok=True)]], plan()).rows
    ends = ("device", "ok", "window", "window_start", "window_end"), ("final", "version")
    assert list(row) == [*ends[0], *RESULTS, *DERIVED, *ends[1]]


def test_an_integer_sum_beyond_64_bits_is_published_and_has_no_value_in_expressions() -> None:
    records = [record(1, number=i, seq=2**62, ok=True) for i in range(2)]
    (row,) = (row for row in plainly([records], plan()).rows if row["window"] == "all")
    assert (row["total"], row["each"]) == (2.0**63, None)
