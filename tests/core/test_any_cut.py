"""The same source partitions give the same account and the same results, however the run is carried out."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.strategies import ANYTHING, TAME, WILD, good, partitions
from tests.core.streams import MEMORY, PLAN, Manner, Partitions, carry_out, offset_of, outcomes_of, plainly, record
from tests.reference.rules import SECOND, FieldRule, Rules, WindowRule
from tests.reference.stream import Truth, evaluate

MANNERS = st.builds(
    Manner, st.randoms(use_true_random=False), partitions=st.integers(1, 5), secret=st.binary(min_size=16, max_size=16)
)

FIELDS = {
    "t": FieldRule("float"),
    "device": FieldRule("str"),
    "id": FieldRule("int"),
    "value": FieldRule("float", required=False),
    "seq": FieldRule("int", required=False),
    "ok": FieldRule("bool"),
}
WINDOWS = (
    WindowRule("ten", 10 * SECOND, ("device",), "value", lateness_us=3 * SECOND),
    WindowRule("seven", 7 * SECOND, ("device", "ok"), "seq", offset_us=2 * SECOND),
    WindowRule("minute", 60 * SECOND, ("ok",), "value", lateness_us=20 * SECOND),
)
GROUPS = {w.name: w.group_by for w in WINDOWS}


@settings(max_examples=150)
@given(partitions(ANYTHING), MANNERS)
def test_cuts_interleaving_routes_bytes_partitions_and_secret_change_nothing_but_versions(
    sources: Partitions, manner: Manner
) -> None:
    assert carry_out(sources, manner).same() == plainly(sources).same()


@settings(max_examples=60)
@given(partitions(good(WILD), most=40), MANNERS)
def test_sums_of_wild_magnitudes_ties_and_late_records_are_the_same_bytes_in_any_cut(
    sources: Partitions, manner: Manner
) -> None:
    assert carry_out(sources, manner).same() == plainly(sources).same()


@settings(max_examples=60)
@given(partitions(ANYTHING), MANNERS)
def test_four_outcomes_add_up_and_the_account_is_folded_once(sources: Partitions, manner: Manner) -> None:
    found = carry_out(sources, manner)
    for s, records in enumerate(sources):
        assert found.accounts[s]["read"] == len(records) == outcomes_of(found.accounts[s]).total()
    assert found.folded == {s: a for s, a in found.accounts.items() if len(sources[s])}


def truth_of(sources: Partitions) -> Truth:
    """The reference counts dedup memory in offsets: the holes of the offsets are filled by nothing it would read."""
    rules = Rules(FIELDS, "t", WINDOWS, ("device", "id"), MEMORY)
    filled = {s: _with_holes(records) for s, records in enumerate(sources)}
    return evaluate(filled, rules)


_HOLE = None


def _with_holes(records: Any) -> list[bytes | None]:
    out: list[bytes | None] = [_HOLE] * (offset_of(len(records)) if records else 0)
    for place, value in enumerate(records):
        out[offset_of(place)] = value
    return out


@settings(max_examples=120)
@given(partitions(good(TAME), most=40), MANNERS)
def test_every_verdict_and_every_figure_is_that_of_the_slow_reference(sources: Partitions, manner: Manner) -> None:
    found, truth = carry_out(sources, manner), truth_of(sources)
    for s, account in truth.accounts.items():
        holes = account.read - len(sources[s])
        dead = account.dead_lettered
        dead["null_value"] -= holes
        wanted = (account.accepted, account.duplicate, account.late, dict(+dead), dict(account.late_by_window))
        got = found.accounts[s]
        assert tuple(got[n] for n in ("accepted", "duplicate", "late", "dead_lettered", "late_by_window")) == wanted
    _assert_figures([row for row in found.rows if row["final"]], truth)


def _assert_figures(rows: list[dict[str, Any]], truth: Truth) -> None:
    by_window: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {name: {} for name in GROUPS}
    for row in rows:
        group = tuple(row[g] for g in GROUPS[row["window"]])
        key = (*group, row["window_start"] * 1000)
        assert key not in by_window[row["window"]], "a window came twice"
        by_window[row["window"]][key] = row
    for name, wanted in truth.windows.items():
        assert by_window[name].keys() == wanted.keys()
        for key, summary in wanted.items():
            row = by_window[name][key]
            figures = vars(summary) | {"n": summary.rows, "there": summary.count, "none": summary.rows - summary.count}
            for exact in ("n", "there", "none", "min", "max", "first", "last"):
                assert row.get(exact, figures[exact]) == figures[exact]
            for rounded in ("sum", "mean", "variance"):
                if rounded in row:
                    figure = figures[rounded]
                    assert row[rounded] == (figure if figure is None else pytest.approx(figure, rel=1e-15, abs=0))


def test_updates_ascend_in_version_end_with_one_final_and_their_last_value_is_the_final_one() -> None:
    draw = random.Random(3)
    sources = [[_reading(draw, i) for i in range(400)] for _ in range(2)]
    for partitions_ in (1, 3):
        found = carry_out(sources, Manner(random.Random(8), partitions=partitions_))
        per_key: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in found.rows:
            key = (row["window"], row["window_start"], *(row[g] for g in GROUPS[row["window"]]))
            per_key.setdefault(key, []).append(row)
        assert any(len(rows) > 2 for rows in per_key.values())
        for (window, *_), rows in per_key.items():
            versions = [row["version"] for row in rows]
            assert versions == sorted(set(versions))
            assert [row["final"] for row in rows] == [False] * (len(rows) - 1) + [True]
            assert window == "seven" or len(rows) == 1
        final_only = plainly(sources)
        assert found.final() == final_only.final()


def _reading(draw: random.Random, i: int) -> bytes:
    return record(i / 3 - draw.random() * 4, draw.choice("abc"), i, draw.gauss(0, 5), seq=draw.randrange(100))


def test_plan_of_these_tests_has_sections_that_differ_in_everything() -> None:
    assert {w.name: w.group_by for w in PLAN.windows} == GROUPS
    assert len({(w.size_us, w.lateness_us) for w in PLAN.windows}) == 3
