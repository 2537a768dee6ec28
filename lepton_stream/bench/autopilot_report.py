"""What `bench autopilot` found, as lines of the terminal and of docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lepton_stream.bench.report import seconds, spread, table

HEAD = ["way", "CPU-s per million", "windows in time", "p99 of results", "kept up"]


def autopilot_lines(told: Mapping[str, Any]) -> list[str]:
    """Part by part; what was not measured is not there."""
    lines = [*_asked(told), ""]
    for name, found in told.get("workloads", {}).items():
        lines += [*_workload(name, found), ""]
    if found := told.get("shift"):
        lines += [*_shift(found), ""]
    if found := told.get("constant"):
        lines += [_constant(found), ""]
    return lines[:-1]


def _asked(told: Mapping[str, Any]) -> list[str]:
    each = f"each run settles for {told['settle_s']:.0f} s and is measured for {told['seconds']:.0f} s"
    objective = f"objective.freshness_p99 {seconds(told['objective_s'])}"
    return [
        f"{told['rate']:,.0f} events/s, windows of one second; {each}; {objective}.",
        "A window is in time if all of its results are readable so soon after it could close.",
    ]


def _workload(name: str, told: Mapping[str, Any]) -> list[str]:
    hot = f", one of them with {told['hot']:.0%} of the events" if told["hot"] else ""
    out = f", {told['left_out']} rounds left out: one of the two fell behind" if told["left_out"] else ""
    taken = spread(told["of_best"], ".2f") if told["of_best"] else "what was not measured"
    ours = f"the autopilot takes {taken} of its CPU{out}"
    head = f"{name}: {told['keys']:,} keys{hot}; best static way: {told['best']}; {ours}"
    return [head, "", *table(HEAD, [[way, *_way(of)] for way, of in told["ways"].items()])]


def _way(told: Mapping[str, Any]) -> list[str]:
    return [
        spread(told["cpu_seconds_per_million"], ".2f"),
        f"{told['within']['median']:.1%} of {told['windows']}",
        seconds(told["p99"]["median"] if told["p99"] else None),
        "yes" if told["kept_up"] else "no",
    ]


def _shift(told: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            row["workload"],
            f"{row['best_static']:.2f}",
            f"{row['cost']:.2f}",
            seconds(row["near_after_s"]),
            f"{row['within']:.1%}",
            _moves(row["moves"]),
        ]
        for row in told["rows"]
    ]
    columns = ["workload", "best static, CPU-s per million", "autopilot, settled", "near it after", "in time", "moves"]
    near = f"near: at most {told['near'] - 1:.0%} above the best static way, over {told['over_s']:.0f} s"
    head = (
        f"A shift from one workload to the next every {told['each_s']:.0f} s under the autopilot; {near}{_behind(told)}"
    )
    return [head, "", *table(columns, rows)]


def _constant(told: Mapping[str, Any]) -> str:
    moves, settled = _moves(told["moves"]), _moves(told["moves_after_settling"])
    return (
        f"{told['workload']} for {told['minutes']:g} minutes: moves {moves}, of these after the first "
        f"{told['settle_s']:.0f} s {settled}; {told['cost']:.2f} CPU seconds a million events, "
        f"{told['within']:.1%} of the windows in time{_behind(told)}"
    )


def _behind(told: Mapping[str, Any]) -> str:
    return "" if told["kept_up"] else "; it fell behind, so these are costs of fewer events"


def _moves(moves: Mapping[str, int]) -> str:
    return ", ".join(f"{knob} {count}" for knob, count in moves.items()) or "none"
