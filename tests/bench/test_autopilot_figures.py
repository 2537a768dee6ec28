"""The figures of `bench autopilot`: streams that shift, what is in time, which static way is best, when it is near."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from lepton_stream.autopilot.record import Told
from lepton_stream.bench.autopilot import ACT, WORKLOADS, Asked, best_of, judged, moves_between, near_after
from lepton_stream.bench.autopilot_report import autopilot_lines
from lepton_stream.bench.lateness import Landed, landed
from lepton_stream.bench.machine import facts
from lepton_stream.bench.page import page
from lepton_stream.bench.schedule import Schedule
from lepton_stream.bench.steered import Steered, Task, cpu_at
from lepton_stream.bench.stream import LATENESS_US, Mix, Stream, truth_of
from lepton_stream.cli.bench_autopilot import best_costs
from tests.autopilot.some_decisions import FLUSH, ROUTE
from tests.reference.murmur2 import partition_of

START = 1_700_000_000_000_000


def stream(*mixes: Mix, each_s: float = 5.0, rate: float = 1000.0) -> Stream:
    return Task(rate, each_s, mixes, 1.0).stream(START)


def devices(of: Stream, first: int, last: int) -> Counter[str]:
    return Counter(json.loads(bytes(row))["device"] for row in of.drawn(first, last).text())


def test_the_hot_device_has_its_share_and_the_others_are_alike() -> None:
    seen = devices(stream(Mix(1_000_000, hot=0.5)), 0, 5000)
    name, count = seen.most_common(1)[0]
    assert name == "dev-000000"
    assert count / 5000 == pytest.approx(0.5, abs=0.03)
    assert len(seen) > 2400
    assert seen.most_common(2)[1][1] <= 4


def test_a_mix_begins_where_the_one_before_it_ends_and_names_stay_equally_long() -> None:
    of = stream(Mix(10), Mix(1_000_000), Mix(10))
    few, many, few_again = (devices(of, n, n + 5000) for n in (0, 5000, 10_000))
    assert len(few) == 10
    assert len(many) > 4500
    assert len(few_again) <= 30  # repeats of events before the change are those events
    assert {len(name) for name in (*few, *many, *few_again)} == {len("dev-000000")}


def test_long_names_go_where_the_client_of_java_sends_them() -> None:
    of = stream(Mix(100_001))
    placed = of.partition_of_device()
    assert [placed[d] for d in (0, 7, 100_000)] == [partition_of(f"dev-{d:06}".encode(), 4) for d in (0, 7, 100_000)]
    assert bytes(of.drawn(0, 1).key()[0]).startswith(b"dev-")


def test_a_stream_of_another_window_has_the_truth_of_that_window() -> None:
    of = Stream(Schedule(100.0, 3.0, START), keys=3, window_us=1_000_000)
    assert {start for _, start in truth_of(of)} == {1_700_000_000_000, 1_700_000_001_000, 1_700_000_002_000}


def result(end_s: float, version: int = 1, *, final: bool = True) -> bytes:
    told: dict[str, Any] = {"device": "d", "window_start": round((end_s - 1) * 1000), "window_end": round(end_s * 1000)}
    return json.dumps(
        {**told, "final": final, "version": version, "n": version, "mean": 1, "min": 1, "max": 1}
    ).encode()


def test_a_window_is_in_time_only_if_all_its_results_are() -> None:
    due_us = 10_000_000 + LATENESS_US
    found = landed([(due_us + 100_000, [result(10.0)]), (due_us + 900_000, [result(10.0), result(11.0)])], 0)
    assert found.within(0.5, 0.0, 100.0) == (0.5, 2)
    assert found.within(1.0, 0.0, 100.0) == (1.0, 2)
    assert found.within(0.5, 11.0, 100.0) == (1.0, 1)
    assert found.within(0.5, 50.0, 100.0) == (0.0, 0)
    assert found.ages(0.0, 10.5) == pytest.approx({"p50": 0.1, "p95": 0.9, "p99": 0.9, "p99.9": 0.9, "max": 0.9})


def test_the_newest_final_result_of_a_window_counts() -> None:
    found = landed([(0, [result(10.0, 2), result(10.0, 1), result(10.0, 3, final=False)])], 0)
    assert found.figures == {("d", 9000): (2, 1, 1, 1)}
    assert len(found.late_s) == 2


def test_cpu_between_two_looks_is_in_proportion() -> None:
    looks = [(0.0, 1.0), (10.0, 3.0), (20.0, 3.0)]
    assert [cpu_at(looks, s) for s in (0.0, 5.0, 10.0, 15.0, 20.0, 30.0)] == [1.0, 2.0, 3.0, 3.0, 3.0, 3.0]


def steered(rate: float = 1000.0, lag: float = 0.0, behind_s: float = 0.0) -> Steered:
    nothing = Landed({}, np.array([]), np.array([]))
    decisions = [Told("w", 5_000 + 1000 * n, decision) for n, decision in enumerate((ROUTE, FLUSH, FLUSH))]
    return Steered(Task(rate, 10.0, (Mix(),), 1.0), 5_000, [(0.0, 0.0), (10.0, 1.0)], nothing, decisions, lag, behind_s)


def test_the_cost_is_by_the_events_that_were_due_and_falling_behind_is_told() -> None:
    assert steered().cost(2.0, 4.0) == pytest.approx(100.0)  # 0.2 s for 2,000 events
    assert steered().kept_up
    assert not steered(lag=1001.0).kept_up
    assert not steered(behind_s=1.5).kept_up


def test_moves_are_counted_by_knob_and_by_when_they_were_made() -> None:
    assert steered().moves == {"flush": 2, "route": 1}
    assert moves_between(steered(), 1.0, 2.0) == {"flush": 1}
    assert moves_between(steered(), 3.0, 9.0) == {}


def test_a_shift_is_over_when_the_cost_of_the_next_seconds_is_near() -> None:
    def cost(begin: float, end: float) -> float:
        """Twice the target until second 107, then it."""
        return sum(2.0 if 0.5 * i + begin < 107 else 1.0 for i in range(int((end - begin) * 2))) / ((end - begin) * 2)

    assert near_after(cost, 100.0, 150.0, 1.0) == 5.5  # a seventh of the ten seconds may still be dear
    assert near_after(cost, 100.0, 112.0, 1.0) is None
    assert near_after(cost, 100.0, 150.0, 0.5) is None


def way(cost: float, within: float, *, kept_up: bool = True) -> dict[str, Any]:
    return {"cpu_seconds_per_million": {"median": cost}, "within": {"median": within}, "kept_up": kept_up}


def test_the_best_static_way_is_the_cheapest_that_keeps_the_objective() -> None:
    assert best_of({"dear": way(3, 1.0), "cheap": way(2, 0.96), "stale": way(1, 0.5)}) == "cheap"
    assert best_of({"dear": way(3, 1.0), "behind": way(1, 1.0, kept_up=False)}) == "dear"
    assert best_of({"dear": way(3, 0.1), "cheap": way(2, 0.1)}) == "cheap"


def run(cost: float) -> dict[str, Any]:
    return {"cost": cost, "within": 1.0, "windows": 40, "p99": 0.25, "kept_up": True, "moves": {"route": 1}}


def test_the_autopilot_is_held_against_the_best_of_the_same_round() -> None:
    told = judged({"rows": [run(2.0), run(4.0)], "partials": [run(5.0), run(5.0)], ACT.name: [run(1.0), run(4.0)]})
    assert told["best"] == "rows"
    assert told["of_best"] == {"median": 0.75, "lowest": 0.5, "highest": 1.0, "runs": 2}
    assert told["ways"]["partials"]["windows"] == 80
    assert best_costs({"few keys": told}) == {"few keys": 3.0}


def test_rounds_in_which_one_fell_behind_are_left_out_and_counted() -> None:
    behind = {**run(0.5), "kept_up": False}
    told = judged({"rows": [run(2.0), run(2.0)], ACT.name: [behind, run(1.0)]})
    assert (told["of_best"]["median"], told["of_best"]["runs"], told["left_out"]) == (0.5, 1, 1)
    assert judged({"rows": [run(2.0)], ACT.name: [behind]})["of_best"] is None


def test_options_of_each_way_are_those_of_run() -> None:
    assert [way.name for way in Asked().static][:2] == ["rows, 0 ms", "rows, 50 ms"]
    assert Asked().static[-1].options == ("--route", "partials", "--flush-interval", "200ms")


def test_the_page_tells_every_part_of_it() -> None:
    told = judged({"rows, 0 ms": [run(2.0)], ACT.name: [run(1.0)]})
    row = {"workload": "few keys", "best_static": 2.0, "near_after_s": None, "cost": 1.0, "within": 0.5, "moves": {}}
    found = {
        **facts("lepton-stream bench autopilot"),
        "rate": 10_000.0,
        "settle_s": 30.0,
        "seconds": 40.0,
        "objective_s": 1.0,
        "workloads": {"hot key": {"keys": 10**6, "hot": 0.5, **told}},
        "shift": {"near": 1.15, "over_s": 10.0, "each_s": 70.0, "kept_up": True, "rows": [row]},
        "constant": {
            "workload": "hot key",
            "minutes": 10.0,
            "settle_s": 30.0,
            "moves": {"route": 2},
            "moves_after_settling": {},
            "cost": 1.0,
            "within": 1.0,
            "kept_up": True,
        },
    }
    lines = autopilot_lines(found)
    assert "hot key: 1,000,000 keys, one of them with 50% of the events; best static way: rows, 0 ms; " in "".join(
        lines
    )
    assert "| autopilot | 1.00 (1 run) | 100.0% of 40 | 250 ms | yes |" in lines
    assert "| few keys | 2.00 | 1.00 | - | 50.0% | none |" in lines
    assert lines[-1].startswith("hot key for 10 minutes: moves route 2, of these after the first 30 s none; ")
    assert "## Autopilot" in page({"autopilot": found})


def test_workloads_are_those_that_the_page_promises() -> None:
    assert {name: (mix.keys, mix.hot) for name, mix in WORKLOADS.items()} == {
        "few keys": (1000, 0.0),
        "many keys": (1_000_000, 0.0),
        "hot key": (1_000_000, 0.5),
    }
