"""From runs to figures: percentiles, spreads, what is marginal, ratios, the report, the page and its plot."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_stream.bench.compare import in_turns, ratios, source_of
from lepton_stream.bench.engine import Run, figures
from lepton_stream.bench.kafka import Counted
from lepton_stream.bench.knobs import KNOBS, shape_of
from lepton_stream.bench.page import page, plot
from lepton_stream.bench.plot import Curve, Point, nice, places, short
from lepton_stream.bench.report import spread
from lepton_stream.bench.results import read, record
from lepton_stream.bench.spread import Spread, percentiles
from lepton_stream.bench.throughput import marginal
from lepton_stream.bench.truth import difference
from lepton_stream.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_percentiles_are_measured_values_that_so_many_do_not_exceed(values: list[float]) -> None:
    found = percentiles(np.array(values))
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)):
        below = sum(v <= found[name] for v in values)
        less = sum(v < found[name] for v in values)
        assert found[name] in values
        assert below >= share * len(values) - 1e-6
        assert less <= share * len(values) + 1e-6
    assert found["max"] == max(values)


def test_percentiles_of_nothing_are_none() -> None:
    assert percentiles(np.array([])) == {}


def counted(events: int, seconds: float, cpu: float, **stages: float) -> Counted:
    return Counted(events, seconds, cpu, cpu, stages)


def test_what_is_marginal_leaves_start_up_out() -> None:
    pairs = [
        (counted(1_000_000, 3.0 + n, 4.0, decode=1.0), counted(3_000_000, 5.0 + n, 5.0, decode=1.4)) for n in range(3)
    ]
    told = marginal(pairs)
    assert told["events_per_second"] == {
        "median": 1_000_000.0,
        "lowest": 1_000_000.0,
        "highest": 1_000_000.0,
        "runs": 3,
    }
    assert told["cpu_seconds_per_million"]["median"] == 0.5
    assert told["start_up_cpu_seconds"]["median"] == 3.5
    assert told["stages"]["decode"]["cpu_seconds_per_million"] == pytest.approx(0.2)


def test_pairs_that_say_nothing_are_left_out_and_counted() -> None:
    good, odd = (counted(1, 1.0, 1.0), counted(3, 2.0, 2.0)), (counted(1, 2.0, 1.0), counted(3, 1.9, 2.0))
    told = marginal([good, odd])
    assert (told["pairs_left_out"], told["events_per_second"]["runs"]) == (1, 1)
    with pytest.raises(UsageError, match="--records"):
        marginal([odd])


def test_stages_of_the_engine_have_shares_that_add_up() -> None:
    runs = [Run(1_000_000, 2.0, 1.0, 1.5, "compiled", {"decode": 1.0, "fold": 0.5})] * 2
    told = figures(runs)
    assert told["events_per_second"]["median"] == 500_000
    assert told["stages"]["decode"] == {"cpu_seconds_per_million": 1.0, "share": pytest.approx(2 / 3)}


def test_ratios_are_made_pair_by_pair() -> None:
    told = ratios([(counted(1, 2.0, 1.0), counted(1, 4.0, 4.0)), (counted(1, 9.0, 3.0), counted(1, 9.0, 4.0))])
    assert told["cpu_seconds"] == {"median": 0.5, "lowest": 0.25, "highest": 0.75, "runs": 2}
    assert told["seconds"]["median"] == 0.75


def test_turns_change_and_ours_stays_first() -> None:
    order: list[Any] = []
    for number in (1, 2):
        assert in_turns(number, lambda c: order.append(c) or c, ["ours", "base"]) == ("ours", "base")  # type: ignore[func-returns-value, list-item]
    assert order == ["ours", "base", "base", "ours"]


def test_a_base_that_is_no_commit_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a checkout"):
        source_of("main", print, tmp_path)
    if (ROOT / ".git").exists():
        with pytest.raises(UsageError, match="no commit"):
            source_of("no-such-thing", print, ROOT)


def test_a_result_that_is_wrong_missing_or_too_many_is_told() -> None:
    truth = {("a", 0): (2, 1.5, 1.0, 2.0), ("b", 0): (1, 1.0, 1.0, 1.0)}
    assert difference(dict(truth), truth) == ""
    assert "should be" in difference({**truth, ("a", 0): (2, 1.5 + 1e-9, 1.0, 2.0)}, truth)
    assert "1 of 2 are missing" in difference({("a", 0): truth["a", 0]}, truth)
    assert "1 are too many" in difference({**truth, ("c", 0): (1, 1.0, 1.0, 1.0)}, truth)


def test_each_turn_of_a_knob_is_a_workload_of_bounded_size() -> None:
    for knob, values in KNOBS.items():
        shapes = [shape_of(knob, value, 500_000) for value in values]
        assert len({s.of(records=1) for s in shapes}) == len(values)
        assert all(s.records * max(s.size, 126) <= 160_000_000 for s in shapes)


def test_a_spread_tells_its_runs_and_a_single_run_has_none() -> None:
    assert spread(Spread.of([3.0, 1.0, 2.0]).plain(), ".1f") == "2.0 (1.0 to 3.0, 3 runs)"
    assert spread(Spread.of([3.0]).plain(), ".1f") == "3.0 (1 run)"


def test_sections_that_were_not_measured_again_stay_recorded(tmp_path: Path) -> None:
    path = tmp_path / "new" / "figures.json"
    record(path, "end_to_end", {"idle": 1, "trickle": 2})
    record(path, "end_to_end", {"idle": 3})
    record(path, "end_to_end", {"throughput": {"published": 4}})
    record(path, "end_to_end", {"throughput": {"wide": 5}})
    throughput = {"published": 4, "wide": 5}
    assert read(path) == {"end_to_end": {"idle": 3, "trickle": 2, "throughput": throughput}}


@pytest.mark.parametrize(("text", "said"), [(None, "measure first"), ("{", "no JSON"), ('{"odd": 1}', "no benchmarks")])
def test_figures_that_cannot_be_read_are_refused_with_what_to_do(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "figures.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read(path)


@pytest.mark.parametrize(
    ("value", "top"), [(0.0, 1.0), (0.7, 1.0), (1.0, 1.0), (1.2, 2.0), (4.9, 5.0), (50_001, 100_000)]
)
def test_an_axis_ends_at_the_next_round_number(value: float, top: float) -> None:
    assert nice(value) == top


def test_higher_values_are_drawn_higher_and_all_within_the_panel() -> None:
    points = [Point(i, m, m - 1, m + 1, str(i)) for i, m in enumerate((2.0, 5.0, 9.0))]
    at = places(Curve("t", "u", points), 10.0)
    assert [x for x, *_ in at] == sorted(x for x, *_ in at)
    assert [m for _, _, m, _ in at] == sorted((m for _, _, m, _ in at), reverse=True)
    assert all(low > middle > high for _, low, middle, high in at)


def test_numbers_of_an_axis_are_short() -> None:
    assert [short(v) for v in (0.5, 20.0, 300_000.0, 2_000_000.0)] == ["0.5", "20", "300k", "2M"]


def test_the_committed_page_tells_command_machine_day_and_versions_of_each_figure() -> None:
    told = json.loads((ROOT / "docs/performance.json").read_text())
    text = page(told)
    measured = [*told.get("engine", {}).values(), *told.get("end_to_end", {}).get("throughput", {}).values()]
    for found in measured:
        assert f"`{found['command']}` on {found['date'][:10]}; {found['machine']['cpu']}" in text
        assert f"{found['events_per_second']['median']:,.0f}" in text
        assert f"python {found['versions']['python']}" in text


def test_a_page_without_figures_promises_none() -> None:
    assert "events/s" not in page({})
    assert ET.fromstring(plot({})).tag.endswith("svg")


def test_the_plot_is_an_image_with_every_value() -> None:
    told = {"scale": json.loads((ROOT / "docs/performance.json").read_text()).get("scale", {})}
    image = plot(told)
    assert ET.fromstring(image).tag.endswith("svg")
    assert image.count("<circle") == sum(
        len(r) for r in told["scale"].get("knobs", {}).get("knobs", {}).values()
    ) + len(told["scale"].get("workers", {}).get("rows", []))
